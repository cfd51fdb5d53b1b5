"""numpy instead of torch.
"""


def even_indices(total, num_frames):
    if total < 1:
        raise ValueError(f"no frames to choose from: total is {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    return [int(i) for i in np.rint(np.linspace(0, total - 1, num_frames))]
