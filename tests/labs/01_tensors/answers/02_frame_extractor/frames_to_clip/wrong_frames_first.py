"""Moves the channels before height and width but leaves the frames first: (T, C, H, W).

Message: whose axes are (t, c, h, w)
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1
