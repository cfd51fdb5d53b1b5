"""The factor as a ratio of two counts of pairs."""


def token_counts():
    tokens = 5 * 32 * 56 // 4
    larger = 10 * 64 * 112 // 4
    return [tokens, 8 * 4, larger**2 / tokens**2]
