"""A loop over the steps, frame by frame.
"""


def motion_score(clip, *, data_range=2.0, fps=None):
    if clip.ndim not in (4, 5):
        raise ValueError(f"a clip has 4 axes, a batch 5; this has {tuple(clip.shape)}")
    if data_range <= 0 or (fps is not None and fps <= 0):
        raise ValueError(f"data_range={data_range} and fps={fps} must be positive")
    if clip.shape[-3] < 2:
        raise ValueError(f"motion needs at least 2 frames, not {clip.shape[-3]}")
    clip = clip if clip.dtype == torch.float64 else clip.float()
    steps = clip.shape[-3] - 1
    total = 0
    for t in range(steps):
        total = total + (clip.select(-3, t + 1) - clip.select(-3, t)).abs().mean(dim=(-3, -2, -1))
    score = total / (steps * data_range)
    return score if fps is None else score * fps
