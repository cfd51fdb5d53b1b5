"""Reshapes instead of transposing: right shape, shredded picture.

Message: shredded
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    num_frames, height, width, channels = frames.shape
    return torch.from_numpy(frames).reshape(channels, num_frames, height, width).float() / 127.5 - 1
