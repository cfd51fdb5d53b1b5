"""Takes every (n // N)-th frame: a whole step drifts away from the even positions.

Message: N - 1 steps
"""


def even_indices(total, num_frames):
    if total < 1:
        raise ValueError(f"no frames to choose from: total is {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    step = max(1, total // num_frames)
    return [min(k * step, total - 1) for k in range(num_frames)]
