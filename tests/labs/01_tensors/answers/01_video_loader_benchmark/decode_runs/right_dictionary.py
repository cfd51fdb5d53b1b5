"""Collects sets in a dictionary, and sorts at the end.
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    groups = {}
    for index in indices:
        start = max(k for k in keyframes if k <= index)
        groups.setdefault(start, set()).add(index)
    return [(start, sorted(frames)) for start, frames in sorted(groups.items())]
