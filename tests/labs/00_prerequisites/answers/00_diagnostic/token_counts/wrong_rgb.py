"""Takes the latent for a picture.

Message: 1 x 2 x 2 places
"""


def token_counts():
    return 5 * 16 * 28, 12, 64
