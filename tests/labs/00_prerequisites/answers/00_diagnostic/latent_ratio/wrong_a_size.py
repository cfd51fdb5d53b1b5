"""Gives how large the latent is.

Message: give the ratio
"""


def latent_ratio():
    return 4 * 64 * 96
