"""Has the channels upside down.

Message: *more*
"""


def latent_ratio():
    return 64 * 4 / 3
