"""Axes by hand."""


def corrupt_context(frames, level, eps):
    return frames + level[:, None, None, None, None] * eps
