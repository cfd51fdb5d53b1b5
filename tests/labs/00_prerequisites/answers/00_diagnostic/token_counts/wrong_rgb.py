"""Takes the latent for a picture.

Message: picture's 3
"""


def token_counts():
    return 5 * 16 * 28, 12, 64
