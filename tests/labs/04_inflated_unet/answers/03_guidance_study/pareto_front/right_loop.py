"""One point after the other."""


def pareto_front(points):
    points = np.asarray(points)
    if points.ndim != 2:
        raise ValueError(f"two axes, not {points.ndim}")
    if np.isnan(points).any():
        raise ValueError("a NaN cannot be compared")
    keep = np.ones(len(points), dtype=bool)
    for n, point in enumerate(points):
        for rival in points:
            if np.all(rival >= point) and np.any(rival > point):
                keep[n] = False
    return keep
