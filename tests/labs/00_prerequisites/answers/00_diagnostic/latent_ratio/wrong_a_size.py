"""Gives how large the latent is.

Message: asked for is the ratio
"""


def latent_ratio():
    return 4 * 64 * 96
