"""Takes colour for granted.

Message: (4, 5, 7, 1)) should give an answer
"""


def frames_to_clip(frames: np.ndarray) -> torch.Tensor:
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"frames must be uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    pixels = torch.from_numpy(np.ascontiguousarray(frames))
    return rearrange(pixels, "t h w c -> c t h w").contiguous().float() / 127.5 - 1  # (C, T, H, W)
