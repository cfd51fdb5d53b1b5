"""How good a list of cuts is: an exercise of lab 01.4."""

from collections.abc import Iterable


def cut_scores(found: Iterable[int], true: Iterable[int], tolerance: int = 1) -> tuple[float, float, float]:
    """Precision, recall and F1 of cuts that were found, against the true ones.

    A found cut and a true one may be paired if they lie at most `tolerance` frames apart. Each belongs to at most one
    pair, and as many pairs are made as can be: that number is the hits.

        precision = hits / number found      1 if none was found: nothing false was said
        recall    = hits / number of true    1 if there is none: nothing was missed
        F1        = 2 hits / (number found + number of true), 1 if both are 0

    Args:
        found: Frame numbers, in any order. The same number twice is two claims.
        true: Frame numbers, in any order.
        tolerance: Frames, at least 0.

    Returns:
        (precision, recall, F1), each from 0 to 1.

    Raises:
        ValueError: `tolerance` is below 0.
    """
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
