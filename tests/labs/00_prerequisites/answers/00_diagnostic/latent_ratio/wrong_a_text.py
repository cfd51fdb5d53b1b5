"""Hands back a text.

Message: should be a number
"""


def latent_ratio():
    return "48x"
