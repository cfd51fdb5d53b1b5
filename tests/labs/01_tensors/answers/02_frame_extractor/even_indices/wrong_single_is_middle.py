"""Takes the middle frame when one frame is asked for.

Message: the answer is [0]
"""


def even_indices(total, num_frames):
    if total < 1:
        raise ValueError(f"no frames to choose from: total is {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    if num_frames == 1:
        return [total // 2]
    return [round(k * (total - 1) / (num_frames - 1)) for k in range(num_frames)]
