"""Rounds the step once and multiplies it, so the error grows with k.

Message: not even
"""


def even_indices(total, num_frames):
    if total < 1:
        raise ValueError(f"no frames to choose from: total is {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    if num_frames == 1:
        return [0]
    step = round((total - 1) / (num_frames - 1))
    return [min(k * step, total - 1) for k in range(num_frames - 1)] + [total - 1]
