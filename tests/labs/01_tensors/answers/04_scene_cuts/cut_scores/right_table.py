"""The longest chain of pairs, by a table.
"""


def cut_scores(found, true, tolerance=1):
    if tolerance < 0:
        raise ValueError(f"a tolerance of {tolerance} frames")
    found, true = np.sort(np.array(list(found), dtype=float)), np.sort(np.array(list(true), dtype=float))
    best = np.zeros((len(found) + 1, len(true) + 1))
    for i in range(len(found)):
        for j in range(len(true)):
            pair = best[i, j] + (abs(found[i] - true[j]) <= tolerance)
            best[i + 1, j + 1] = max(pair, best[i, j + 1], best[i + 1, j])
    hits = best[-1, -1]
    precision = float(hits / len(found)) if len(found) else 1.0
    recall = float(hits / len(true)) if len(true) else 1.0
    both = len(found) + len(true)
    return precision, recall, float(2 * hits / both) if both else 1.0
