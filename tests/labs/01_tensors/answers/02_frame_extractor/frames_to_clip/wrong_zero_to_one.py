"""Divides by 255 and stops: the range is [0, 1].

Message: range 0 to 1
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    return torch.from_numpy(frames).permute(3, 0, 1, 2).float() / 255
