"""Pairs up the closest first.

Message: as many pairs are made as can be
"""


def cut_scores(found, true, tolerance=1):
    if tolerance < 0:
        raise ValueError(f"tolerance {tolerance} is below 0")
    found, true, hits = list(found), list(true), 0
    pairs = sorted((abs(a - b), i, j) for i, a in enumerate(found) for j, b in enumerate(true))
    used_found, used_true = set(), set()
    for distance, i, j in pairs:
        if distance <= tolerance and i not in used_found and j not in used_true:
            used_found.add(i)
            used_true.add(j)
            hits += 1
    precision = hits / len(found) if found else 1.0
    recall = hits / len(true) if true else 1.0
    return precision, recall, 2 * hits / (len(found) + len(true)) if found or true else 1.0
