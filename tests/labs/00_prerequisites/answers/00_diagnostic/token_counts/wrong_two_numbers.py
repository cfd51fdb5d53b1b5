"""Leaves out the factor.

Message: three numbers
"""


def token_counts():
    return 5 * 16 * 28, 32
