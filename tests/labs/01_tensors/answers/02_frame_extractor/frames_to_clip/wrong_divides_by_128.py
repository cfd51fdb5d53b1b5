"""Divides by 128: white does not reach 1.

Message: white should become 1
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    return rearrange(torch.from_numpy(frames).float() / 128 - 1, "t h w c -> c t h w")
