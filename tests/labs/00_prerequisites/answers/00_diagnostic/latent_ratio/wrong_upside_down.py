"""Divides the latent by the picture.

Message: upside down
"""


def latent_ratio():
    return (4 * 64 * 96) / (3 * 512 * 768)
