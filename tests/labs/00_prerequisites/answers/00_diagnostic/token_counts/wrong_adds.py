"""Adds the three doublings.

Message: 8 · 8
"""


def token_counts():
    return 5 * 16 * 28, 32, 6**2
