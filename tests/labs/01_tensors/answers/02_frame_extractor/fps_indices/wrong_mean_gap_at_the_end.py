"""Lets the last frame stay for the average gap instead of the last one.

Message: should give an answer
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
    instants = start + np.arange(num_frames) / fps
    if instants[-1] >= timestamps[-1] * len(timestamps) / max(len(timestamps) - 1, 1) - 1e-6 and len(timestamps) > 1:
        raise ValueError("past the end")
    return (np.searchsorted(timestamps, instants + 1e-6, side="right") - 1).tolist()
