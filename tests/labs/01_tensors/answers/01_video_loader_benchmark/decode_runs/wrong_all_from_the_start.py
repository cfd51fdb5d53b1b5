"""One run from frame 0 for everything.

Message: starts at frame 0
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    wanted = sorted(set(indices))
    return [(0, wanted)] if wanted else []
