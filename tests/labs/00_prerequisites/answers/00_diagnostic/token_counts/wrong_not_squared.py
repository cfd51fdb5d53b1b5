"""Says how the tokens grow, not the pairs.

Message: *square*
"""


def token_counts():
    return 5 * 16 * 28, 32, 8
