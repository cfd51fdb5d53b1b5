"""Turns the colours round, as OpenCV stores them.

Message: red and blue
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    return torch.from_numpy(frames[..., ::-1].copy()).permute(3, 0, 1, 2).float() / 127.5 - 1
