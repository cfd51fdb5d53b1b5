"""Hands back a text.

Message: a number is asked for
"""


def latent_ratio():
    return "48x"
