"""Counts what is exactly at a limit.

Message: has to exceed it
"""


def find_cuts(descriptors: np.ndarray, *, window: int = 4, ratio: float = 2.5, floor: float = 0.2) -> list[int]:
    """The frames at which a new shot begins: those before differ from those after, and far more than among themselves.

    The distance of two frames is the sum of the absolute differences of their descriptors. For a frame t, the frames
    before are the last `window` ones up to t - 1, and those after are t and what follows, `window` in all (fewer at the
    ends of the film). Then

        between   the smallest distance of any frame before to any frame after,
        within    the largest distance of two neighbours before (0 if there is one frame only), and the same after;
                  the mean of these two numbers,

    and a cut is at t where `between > floor` and `between > ratio * within`. So a flash shorter than `window` is none
    (the picture comes back: between is small), and neither are fades, dissolves and fast motion (within is large).

    Args:
        descriptors: float (T, D), one row a frame, as `frame_descriptors` gives them.
        window: Frames to look at on either side, at least 1. With 1, within is 0 and the floor alone decides.
        ratio: How many times larger between has to be than within, at least 2: below that, the first frame of a sudden
            movement would pass, and two cuts could be found closer together than `window`.
        floor: What between has to exceed in any case, at least 0.

    Returns:
        Frame numbers, rising. Frame 0 is never among them: nothing lies before it.

    Raises:
        ValueError: `descriptors` has not two axes, or `window`, `ratio` or `floor` is out of its range.
    """
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
    for away in range(1, window):
        before[away:] = np.maximum(before[away:], step[:-away])
        after[:-away] = np.maximum(after[:-away], step[away:])
    within = (before + after) / 2
    is_cut = (between >= floor) & (between >= ratio * within)
    is_cut[:1] = False
    return np.flatnonzero(is_cut).tolist()
