"""Takes differences along the second axis from the left, which is time in one layout and channels in the other.

Message: axis 1
"""


def motion_score(clip, *, data_range=2.0, fps=None):
    if clip.ndim not in (4, 5):
        raise ValueError(f"a clip has 4 axes, a batch 5; this has {tuple(clip.shape)}")
    if data_range <= 0 or (fps is not None and fps <= 0):
        raise ValueError(f"data_range={data_range} and fps={fps} must be positive")
    if clip.shape[-3] < 2:
        raise ValueError(f"motion needs at least 2 frames, not {clip.shape[-3]}")
    score = clip.diff(dim=1).abs().mean(dim=(-4, -3, -2, -1)) / data_range
    return score if fps is None else score * fps
