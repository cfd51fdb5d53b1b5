"""Lists every frame that has to be decoded instead of those that are wanted.

Message: should be
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    groups = {}
    for index in sorted(set(indices)):
        start = keyframes[bisect_right(keyframes, index) - 1]
        groups[start] = list(range(start, index + 1))
    return list(groups.items())
