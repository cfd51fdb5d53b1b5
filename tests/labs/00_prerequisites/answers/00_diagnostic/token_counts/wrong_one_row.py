"""Divides one side only.

Message: one side
"""


def token_counts():
    return 5 * 16 * 56, 32, 64
