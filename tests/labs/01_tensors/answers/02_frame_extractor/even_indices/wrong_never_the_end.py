"""Splits the film into N steps instead of N - 1: the end is never shown.

Message: never shows the last frame
"""


def even_indices(total, num_frames):
    if total < 1:
        raise ValueError(f"no frames to choose from: total is {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    return [round(k * (total - 1) / num_frames) for k in range(num_frames)]
