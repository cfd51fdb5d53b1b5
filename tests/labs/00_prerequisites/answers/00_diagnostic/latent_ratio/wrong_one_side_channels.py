"""Shrinks one side and counts channels.

Message: one side
"""


def latent_ratio():
    return 8 * 3 / 4
