"""Leaves out cuts that do not fit.

Message: should raise ValueError
"""


def shot_ranges(cuts, num_frames):
    if num_frames < 1:
        raise ValueError(f"{num_frames} frames")
    shots, start = [], 0
    for cut in [*cuts, num_frames]:
        if cut <= start or cut > num_frames:
            continue
        shots.append((start, int(cut)))
        start = int(cut)
    return shots
