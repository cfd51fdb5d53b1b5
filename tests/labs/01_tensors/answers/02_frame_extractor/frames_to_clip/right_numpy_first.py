"""All the work in numpy, the tensor last.
"""


def frames_to_clip(frames):
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise ValueError(f"expected uint8 (T, H, W, C), got {frames.dtype} {frames.shape}")
    scaled = (frames.astype(np.float32) - 127.5) / 127.5
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(scaled, -1, 0)))
