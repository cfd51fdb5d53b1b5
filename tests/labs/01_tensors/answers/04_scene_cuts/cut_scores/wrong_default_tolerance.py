"""Another default tolerance.

Message: without a tolerance it is 1
"""


def cut_scores(found: Iterable[int], true: Iterable[int], tolerance: int = 2) -> tuple[float, float, float]:
    if tolerance < 0:
        raise ValueError(f"tolerance must be at least 0 frames, got {tolerance}")
    found, true = sorted(found), sorted(true)
    hits = i = j = 0
    while i < len(found) and j < len(true):
        if abs(found[i] - true[j]) <= tolerance:
            hits, i, j = hits + 1, i + 1, j + 1
        elif found[i] < true[j]:
            i += 1  # no later true cut is nearer: false
        else:
            j += 1  # no later found cut is nearer: missed
    precision = hits / len(found) if found else 1.0
    recall = hits / len(true) if true else 1.0
    f1 = 2 * hits / (len(found) + len(true)) if found or true else 1.0
    return precision, recall, f1
