"""A loop over frames, stacked along time.
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    pictures = [torch.tensor(frame.copy()).permute(2, 0, 1) for frame in frames]  # each (C, H, W)
    return torch.stack(pictures, dim=1).contiguous().to(torch.float32) * (2 / 255) - 1
