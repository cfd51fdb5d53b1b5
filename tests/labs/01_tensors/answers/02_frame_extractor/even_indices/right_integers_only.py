"""Integer arithmetic, so nothing is ever inexact: a half goes to the even neighbour.
"""


def even_indices(total, num_frames):
    if total < 1:
        raise ValueError(f"no frames to choose from: total is {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    if num_frames == 1:
        return [0]
    steps = num_frames - 1
    indices = []
    for k in range(num_frames):
        whole, rest = divmod(k * (total - 1), steps)
        up = 2 * rest > steps or (2 * rest == steps and whole % 2 == 1)
        indices.append(whole + up)
    return indices
