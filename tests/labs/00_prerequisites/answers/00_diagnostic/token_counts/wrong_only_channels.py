"""Lets a token hold a place's channels only.

Message: *places* of its block
"""


def token_counts():
    return 5 * 16 * 28, 8, 64
