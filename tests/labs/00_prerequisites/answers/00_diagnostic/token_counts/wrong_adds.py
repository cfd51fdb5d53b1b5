"""Adds the three doublings.

Message: grow with the square
"""


def token_counts():
    return 5 * 16 * 28, 32, 6**2
