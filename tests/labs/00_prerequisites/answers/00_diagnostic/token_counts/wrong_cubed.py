"""Raises to the third power.

Message: third power
"""


def token_counts():
    return 5 * 16 * 28, 32, 512
