"""Beaten: someone is at least as good, and not the same."""


def pareto_front(points):
    if np.ndim(points) != 2 or np.isnan(points).any():
        raise ValueError("points are (N, D) numbers")
    result = []
    for point in points:
        rivals = points[(points >= point).all(axis=1)]
        result.append(bool((rivals == point).all()))
    return np.array(result, dtype=bool)
