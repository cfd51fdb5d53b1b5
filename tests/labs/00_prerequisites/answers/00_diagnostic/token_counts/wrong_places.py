"""Makes a token of each place.

Message: every place
"""


def token_counts():
    return 5 * 32 * 56, 32, 64
