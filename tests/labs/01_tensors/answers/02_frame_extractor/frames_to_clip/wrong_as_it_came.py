"""Scales the numbers and forgets the axes.

Message: whose axes are (t, h, w, c)
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    return torch.from_numpy(frames).float() / 127.5 - 1
