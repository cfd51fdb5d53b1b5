"""Gives every keyframe a run, wanted or not.

Message: one wanted frame makes one run
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    ends = [*keyframes[1:], float("inf")]
    return [(k, sorted({i for i in indices if k <= i < end})) for k, end in zip(keyframes, ends)]
