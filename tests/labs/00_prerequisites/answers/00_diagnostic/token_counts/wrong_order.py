"""Hands back the width of a token first.

Message: swapped
"""


def token_counts():
    return 32, 5 * 16 * 28, 64
