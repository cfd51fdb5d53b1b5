"""Never starts at the last keyframe.

Message: the last keyframe that is not later
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    groups = {}
    for index in sorted(set(indices)):
        start = 0
        for begin, end in zip(keyframes, keyframes[1:]):
            if begin <= index:
                start = begin
        groups.setdefault(start, []).append(index)
    return list(groups.items())
