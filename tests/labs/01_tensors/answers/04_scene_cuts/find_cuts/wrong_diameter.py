"""The largest distance of any two frames of a side, not of neighbours.

Message: within is 0.5
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
        between = min(np.abs(a - b).sum() for a in before for b in after)
        steps_before = np.array([np.abs(a - b).sum() for a in before for b in before])
        steps_after = np.array([np.abs(a - b).sum() for a in after for b in after])
        within = (steps_before.max(initial=0) + steps_after.max(initial=0)) / 2
        if between > floor and between > ratio * within:
            cuts.append(t)
    return cuts
