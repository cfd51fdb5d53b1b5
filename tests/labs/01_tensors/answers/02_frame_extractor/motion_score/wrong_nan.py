"""Gives nan for a single frame instead of an error.

Message: should raise ValueError
"""


def motion_score(clip, *, data_range=2.0, fps=None):
    score = clip.diff(dim=-3).abs().mean(dim=(-4, -3, -2, -1)) / data_range
    return score if fps is None else score * fps
