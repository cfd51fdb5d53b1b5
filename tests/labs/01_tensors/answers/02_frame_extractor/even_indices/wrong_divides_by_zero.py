"""Divides by N - 1 without a thought for a single frame.

Message: ZeroDivisionError
"""


def even_indices(total, num_frames):
    if total < 1:
        raise ValueError(f"no frames to choose from: total is {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    return [round(k * (total - 1) / (num_frames - 1)) for k in range(num_frames)]
