"""Counts two places in a block.

Message: rows *and*
"""


def token_counts():
    return 5 * 16 * 28, 16, 64
