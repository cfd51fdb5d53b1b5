"""Makes tokens of channels.

Message: channels make no tokens
"""


def token_counts():
    return 8 * 5 * 16 * 28, 4, 64
