"""0 where there is nothing.

Message: None found: precision 1
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
    precision = hits / len(found) if found else 0.0
    recall = hits / len(true) if true else 0.0
    f1 = 2 * hits / (len(found) + len(true)) if found or true else 1.0
    return precision, recall, f1
