"""Stretches every clip to the full range: a dark clip becomes bright.

Message: the same for every clip
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    x = torch.from_numpy(frames).movedim(-1, 0).float()
    return (x - x.min()) / (x.max() - x.min()) * 2 - 1
