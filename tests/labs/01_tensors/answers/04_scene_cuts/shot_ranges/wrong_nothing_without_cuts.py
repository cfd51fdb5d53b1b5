"""No cuts, no shots.

Message: the whole film is one shot
"""


def shot_ranges(cuts, num_frames):
    if num_frames < 1:
        raise ValueError(f"{num_frames} frames")
    if len(cuts) == 0:
        return []
    shots, start = [], 0
    for cut in [*cuts, num_frames]:
        if cut <= start or cut > num_frames:
            raise ValueError(f"a cut at {cut} does not follow {start} in {num_frames} frames")
        shots.append((start, int(cut)))
        start = int(cut)
    return shots
