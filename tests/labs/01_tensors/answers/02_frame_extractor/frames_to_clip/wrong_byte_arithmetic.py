"""Subtracts while the numbers are still bytes, so they wrap around.

Message: wraps around
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    return rearrange(torch.from_numpy((frames - 128)).float() / 127.5, "t h w c -> c t h w")
