"""Rolls the clip by one frame and leaves out the step that wraps around.
"""


def motion_score(clip, *, data_range=2.0, fps=None):
    if clip.ndim not in (4, 5):
        raise ValueError(f"a clip has 4 axes, a batch 5; this has {tuple(clip.shape)}")
    if data_range <= 0 or (fps is not None and fps <= 0):
        raise ValueError(f"data_range={data_range} and fps={fps} must be positive")
    if clip.shape[-3] < 2:
        raise ValueError(f"motion needs at least 2 frames, not {clip.shape[-3]}")
    clip = clip if clip.dtype == torch.float64 else clip.float()
    change = (torch.roll(clip, shifts=-1, dims=-3) - clip).abs()[..., :-1, :, :]
    score = change.mean(dim=(-1, -2)).mean(dim=-1).mean(dim=-1) / data_range
    return score if fps is None else score * fps
