"""Counts one frame.

Message: one frame
"""


def token_counts():
    return 16 * 28, 32, 64
