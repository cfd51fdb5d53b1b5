"""Asks of each found cut whether some true one is near.

Message: hit several times
"""


def cut_scores(found, true, tolerance=1):
    if tolerance < 0:
        raise ValueError(f"tolerance {tolerance} is below 0")
    found, true = sorted(found), sorted(true)
    left, hits = list(true), 0
    for cut in found:
        near = [other for other in left if abs(other - cut) <= tolerance]
        if near:
            hits += 1
    precision = hits / len(found) if found else 1.0
    recall = hits / len(true) if true else 1.0
    f1 = 2 * hits / (len(found) + len(true)) if found or true else 1.0
    return precision, recall, f1
