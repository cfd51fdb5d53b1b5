"""Counts a keyframe to the run before it (bisect_left).

Message: put into the run before it
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    runs = []
    for index in sorted(set(indices)):
        start = keyframes[max(0, np.searchsorted(keyframes, index, side="left") - 1)]
        if not runs or runs[-1][0] != start:
            runs.append((start, []))
        runs[-1][1].append(index)
    return runs
