"""Swaps height and width.

Message: whose axes are (c, t, w, h)
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    return torch.from_numpy(frames).permute(3, 0, 2, 1).float() / 127.5 - 1
