"""Goes through the keyframes and gives each what lies before the next.
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0:
        raise ValueError(f"keyframes must begin with frame 0, got {keyframes}")
    if any(i < 0 for i in indices):
        raise ValueError(f"frame numbers must be at least 0, got {min(indices)}")

    ends = [*keyframes[1:], float("inf")]
    runs = []
    for start, end in zip(keyframes, ends):
        own = [i for i in sorted(set(indices)) if start <= i < end]
        if own:
            runs.append((start, own))
    return runs
