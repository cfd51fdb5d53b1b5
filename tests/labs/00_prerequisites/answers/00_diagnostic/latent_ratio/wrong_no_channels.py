"""Forgets the channels of both.

Message: channels are not counted
"""


def latent_ratio():
    return 64
