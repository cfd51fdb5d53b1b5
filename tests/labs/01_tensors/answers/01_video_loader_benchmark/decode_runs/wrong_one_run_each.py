"""Makes a run of its own for every frame.

Message: run of its own
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    return [(keyframes[bisect_right(keyframes, i) - 1], [i]) for i in sorted(set(indices))]
