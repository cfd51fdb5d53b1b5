"""A tolerance of 10 ms: frames that have not begun yet are taken.

Message: the tolerance is a microsecond
"""


def fps_indices(timestamps, fps, num_frames, start=0.0):
    if fps <= 0:
        raise ValueError(f"fps must be positive, not {fps}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    if start < 0:
        raise ValueError(f"start must not be negative, not {start}")
    if len(timestamps) == 0:
        raise ValueError("there are 0 timestamps")
    end = timestamps[-1] + (timestamps[-1] - timestamps[-2] if len(timestamps) > 1 else 1 / fps)
    if start + (num_frames - 1) / fps >= end - 1e-6:
        raise ValueError(f"the film ends at {end} s")
    instants = start + np.arange(num_frames) / fps
    return (np.searchsorted(timestamps, instants + 1e-2, side="right") - 1).tolist()
