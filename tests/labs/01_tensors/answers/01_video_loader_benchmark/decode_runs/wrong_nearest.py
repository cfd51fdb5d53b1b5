"""Takes the nearest keyframe, which may come after the frame.

Message: nearest keyframe
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    groups = {}
    for index in sorted(set(indices)):
        start = min(keyframes, key=lambda k: abs(k - index))
        groups.setdefault(start, []).append(index)
    return sorted(groups.items())
