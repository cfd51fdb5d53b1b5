"""Compares only the two frames at the border.

Message: the picture comes back
"""


def find_cuts(descriptors, *, window=4, ratio=2.5, floor=0.2):
    if descriptors.ndim != 2:
        raise ValueError(f"descriptors of shape {descriptors.shape}")
    if window < 1 or ratio < 2 or floor < 0:
        raise ValueError(f"window {window}, ratio {ratio}, floor {floor}")
    num_frames = len(descriptors)
    cuts = []
    for t in range(1, num_frames):
        before = descriptors[max(0, t - window) : t]
        after = descriptors[t : t + window]
        between = np.abs(after[0] - before[-1]).sum()
        steps_before = np.abs(np.diff(before, axis=0)).sum(axis=1)
        steps_after = np.abs(np.diff(after, axis=0)).sum(axis=1)
        within = (steps_before.max(initial=0) + steps_after.max(initial=0)) / 2
        if between > floor and between > ratio * within:
            cuts.append(t)
    return cuts
