"""Relies on sorted lists.

Message: hits
"""


def cut_scores(found, true, tolerance=1):
    if tolerance < 0:
        raise ValueError(f"tolerance must be at least 0 frames, got {tolerance}")
    hits = i = j = 0
    while i < len(found) and j < len(true):
        if abs(found[i] - true[j]) <= tolerance:
            hits, i, j = hits + 1, i + 1, j + 1
        elif found[i] < true[j]:
            i += 1
        else:
            j += 1
    precision = hits / len(found) if len(found) else 1.0
    recall = hits / len(true) if len(true) else 1.0
    both = len(found) + len(true)
    return precision, recall, 2 * hits / both if both else 1.0
