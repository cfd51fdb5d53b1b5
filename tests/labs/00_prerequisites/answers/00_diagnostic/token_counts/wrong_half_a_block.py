"""Counts two places in a block.

Message: 1 x 2 x 2 places
"""


def token_counts():
    return 5 * 16 * 28, 16, 64
