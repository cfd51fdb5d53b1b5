"""A plain loop with Python's round.
"""


def even_indices(total, num_frames):
    if total < 1:
        raise ValueError(f"no frames to choose from: total is {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    indices = []
    for k in range(num_frames):
        position = 0.0 if num_frames == 1 else k * (total - 1) / (num_frames - 1)
        indices.append(round(position))
    return indices
