"""Takes 8 for the factor of the area.

Message: two sides
"""


def latent_ratio():
    return 8
