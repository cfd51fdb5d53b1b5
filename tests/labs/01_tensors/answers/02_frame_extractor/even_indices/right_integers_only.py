"""Integer arithmetic: half the step is added before a whole division, so nothing is ever inexact.
"""


def even_indices(total, num_frames):
    if total < 1:
        raise ValueError(f"no frames to choose from: total is {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    if num_frames == 1:
        return [0]
    steps = num_frames - 1
    return [(2 * k * (total - 1) + steps) // (2 * steps) for k in range(num_frames)]
