"""Runs come in the order in which somebody first asked for them.

Message: in the order of the film
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    groups = {}
    for index in indices:
        groups.setdefault(keyframes[bisect_right(keyframes, index) - 1], set()).add(index)
    return [(k, sorted(frames)) for k, frames in groups.items()]
