"""One frame too many on each side of within.

Message: should be
"""


def find_cuts(descriptors: np.ndarray, *, window: int = 4, ratio: float = 2.5, floor: float = 0.2) -> list[int]:
    if descriptors.ndim != 2:
        raise ValueError(f"descriptors must be (T, D), got {descriptors.shape}")
    if window < 1 or ratio < 2 or floor < 0:
        raise ValueError(f"window >= 1, ratio >= 2 and floor >= 0 are needed, got {window}, {ratio} and {floor}")
    num_frames = len(descriptors)
    between = np.full(num_frames, np.inf)
    step = np.zeros(num_frames)  # from the frame before
    for gap in range(1, 2 * window):
        distance = np.abs(descriptors[gap:] - descriptors[:-gap]).sum(axis=-1)  # (T - gap,) frame i to frame i + gap
        if gap == 1:
            step[1:] = distance
        for back in range(max(1, gap - window + 1), min(window, gap) + 1):  # i = t - back, and i + gap < t + window
            here = slice(back, back + len(distance))
            between[here] = np.minimum(between[here], distance)
    before, after = np.zeros(num_frames), np.zeros(num_frames)
    for away in range(1, window + 1):
        before[away:] = np.maximum(before[away:], step[:-away])
        after[:-away] = np.maximum(after[:-away], step[away:])
    within = (before + after) / 2
    is_cut = (between > floor) & (between > ratio * within)
    is_cut[:1] = False
    return np.flatnonzero(is_cut).tolist()
