"""Subtracts the mean and divides by the spread: black and white depend on the clip.

Message: the same for every clip
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    x = torch.from_numpy(frames).permute(3, 0, 1, 2).float()
    return (x - x.mean()) / x.std()
