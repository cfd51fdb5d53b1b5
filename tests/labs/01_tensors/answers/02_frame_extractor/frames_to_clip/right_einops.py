"""einops on a float tensor.
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    return rearrange(torch.tensor(frames.copy()).float(), "t h w c -> c t h w").div(127.5).sub(1).contiguous()
