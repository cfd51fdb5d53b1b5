"""Hits among all, each pair counted once.

Message: 2 hits / (found + true)
"""


def cut_scores(found, true, tolerance=1):
    if tolerance < 0:
        raise ValueError(f"tolerance {tolerance} is below 0")
    found, true = sorted(found), sorted(true)
    left, hits = list(true), 0
    for cut in found:
        near = [other for other in left if abs(other - cut) <= tolerance]
        if near:
            left.remove(near[0])
            hits += 1
    precision = hits / len(found) if found else 1.0
    recall = hits / len(true) if true else 1.0
    f1 = hits / (len(found) + len(true) - hits) if found or true else 1.0
    return precision, recall, f1
