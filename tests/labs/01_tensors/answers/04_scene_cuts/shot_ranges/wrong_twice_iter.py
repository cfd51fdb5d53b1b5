"""Walks over the cuts twice, and an iterator is empty the second time.

Message: as an iterator gives another answer
"""


def shot_ranges(cuts: Iterable[int], num_frames: int) -> list[tuple[int, int]]:
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, got {num_frames}")
    if any(c <= 0 for c in cuts):
        raise ValueError('bad')
    edges = [0, *(int(cut) for cut in cuts), num_frames]
    for start, stop in pairwise(edges):
        if start >= stop:
            raise ValueError(f"cuts must rise from at least 1 to at most {num_frames - 1}, got {start} before {stop}")
    return list(pairwise(edges))
