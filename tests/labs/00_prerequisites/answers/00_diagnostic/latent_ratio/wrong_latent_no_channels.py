"""Forgets that the latent has four channels.

Message: 4 channels
"""


def latent_ratio():
    return 3 * 512 * 768 / (64 * 96)
