"""Sorts the caller's list.

Message: 'tuple' object has no attribute 'sort'
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    indices.sort()
    groups = {}
    for index in indices:
        groups.setdefault(keyframes[bisect_right(keyframes, index) - 1], {})[index] = None
    return [(k, list(frames)) for k, frames in groups.items()]
