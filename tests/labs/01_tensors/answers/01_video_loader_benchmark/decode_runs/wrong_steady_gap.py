"""Assumes that keyframes are evenly spaced.

Message: the last keyframe that is not later
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    gap = keyframes[1] if len(keyframes) > 1 else 10**9
    groups = {}
    for index in sorted(set(indices)):
        groups.setdefault(index // gap * gap, []).append(index)
    return list(groups.items())
