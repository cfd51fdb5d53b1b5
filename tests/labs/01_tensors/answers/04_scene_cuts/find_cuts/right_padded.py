"""Pads the steps with zeros and slides windows over them.
"""


def find_cuts(descriptors, *, window=4, ratio=2.5, floor=0.2):
    if descriptors.ndim != 2 or window < 1 or ratio < 2 or floor < 0:
        raise ValueError(f"{descriptors.shape} window={window} ratio={ratio} floor={floor}")
    n = len(descriptors)
    if n < 2:
        return []
    between = [float("inf")] * n
    for gap in range(1, min(2 * window, n)):
        for i in range(n - gap):
            distance = float(np.abs(descriptors[i + gap] - descriptors[i]).sum())
            for t in range(i + 1, i + gap + 1):
                if t - i <= window and i + gap - t < window:
                    between[t] = min(between[t], distance)
    step = np.zeros(n + 2 * window)
    step[window + 1 : window + n] = np.abs(np.diff(descriptors, axis=0)).sum(1)
    found = []
    for t in range(1, n):
        left, right = step[t + 1 : t + window], step[t + window + 1 : t + 2 * window]
        within = 0.5 * (max([0, *left]) + max([0, *right]))
        if between[t] > floor and between[t] > ratio * within:
            found.append(t)
    return found
