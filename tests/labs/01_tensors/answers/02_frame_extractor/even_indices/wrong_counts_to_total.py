"""Counts to n instead of n - 1, so the last frame does not exist.

Message: does not exist
"""


def even_indices(total, num_frames):
    if total < 1:
        raise ValueError(f"no frames to choose from: total is {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    return torch.linspace(0, total, num_frames, dtype=torch.float64).round().long().tolist()
