"""Steps more than three standard deviations above the mean of the whole film.

Message: so within is 0.5 and this is a cut
"""


def find_cuts(descriptors, *, window=4, ratio=2.5, floor=0.2):
    if descriptors.ndim != 2 or window < 1 or ratio < 2 or floor < 0:
        raise ValueError(f"{descriptors.shape} {window} {ratio} {floor}")
    if len(descriptors) < 2:
        return []
    step = np.abs(np.diff(descriptors, axis=0)).sum(axis=1)
    limit = max(floor, step.mean() + 3 * step.std())
    return [t + 1 for t in np.flatnonzero(step > limit).tolist()]
