"""Finds all keyframes at once with searchsorted.
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    wanted = np.unique(np.asarray(indices, dtype=np.int64))
    place = np.searchsorted(np.asarray(keyframes), wanted, side="right") - 1
    return [(int(keyframes[p]), wanted[place == p].tolist()) for p in np.unique(place)]
