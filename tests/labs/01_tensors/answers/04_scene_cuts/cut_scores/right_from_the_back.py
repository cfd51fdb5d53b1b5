"""Two stacks, taken off from the back.
"""


def cut_scores(found, true, tolerance=1):
    if tolerance < 0:
        raise ValueError(f"tolerance={tolerance}")
    a, b = sorted(found), sorted(true)
    num_found, num_true, hits = len(a), len(b), 0
    while a and b:
        if a[-1] - b[-1] > tolerance:
            a.pop()
        elif b[-1] - a[-1] > tolerance:
            b.pop()
        else:
            hits += 1
            a.pop()
            b.pop()
    precision = 1.0 if num_found == 0 else hits / num_found
    recall = 1.0 if num_true == 0 else hits / num_true
    return precision, recall, 1.0 if num_found + num_true == 0 else hits / ((num_found + num_true) / 2)
