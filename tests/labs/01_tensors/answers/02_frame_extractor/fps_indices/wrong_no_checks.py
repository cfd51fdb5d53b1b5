"""Does not look at its arguments.

Message: should raise ValueError
"""


def fps_indices(timestamps, fps, num_frames, start=0.0):
    end = timestamps[-1] + (timestamps[-1] - timestamps[-2] if len(timestamps) > 1 else 1 / fps)
    if start + (num_frames - 1) / fps >= end - 1e-6:
        raise ValueError(f"the film ends at {end} s")
    instants = start + np.arange(num_frames) / fps
    return (np.searchsorted(timestamps, instants + 1e-6, side="right") - 1).tolist()
