"""Pulls cuts into the film.

Message: should raise ValueError
"""


def shot_ranges(cuts, num_frames):
    if num_frames < 1:
        raise ValueError(f"{num_frames} frames")
    shots, start = [], 0
    for cut in [*(min(max(c, 0), num_frames) for c in cuts), num_frames]:
        shots.append((start, int(cut)))
        start = int(cut)
    return shots
