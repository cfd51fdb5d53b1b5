"""Forgets what follows the last cut.

Message: loses frame
"""


def shot_ranges(cuts, num_frames):
    if num_frames < 1:
        raise ValueError(f"{num_frames} frames")
    shots, start = [], 0
    for cut in cuts:
        if cut <= start or cut > num_frames:
            raise ValueError(f"a cut at {cut} does not follow {start} in {num_frames} frames")
        shots.append((start, int(cut)))
        start = int(cut)
    return shots
