"""Forgets that a picture has three channels.

Message: 3 channels
"""


def latent_ratio():
    return 512 * 768 / (4 * 64 * 96)
