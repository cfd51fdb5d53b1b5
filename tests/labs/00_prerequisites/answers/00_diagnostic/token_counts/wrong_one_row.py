"""Divides one side only.

Message: count the blocks
"""


def token_counts():
    return 5 * 16 * 56, 32, 64
