"""Returns float64.

Message: float32
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    return torch.from_numpy(frames / 127.5 - 1).permute(3, 0, 1, 2)
