"""Looks for a negative number at the first place only.

Message: should raise ValueError
"""


def decode_runs(indices, keyframes):
    if len(keyframes) == 0 or keyframes[0] != 0 or (len(indices) and indices[0] < 0):
        raise ValueError("bad")
    runs = {}
    for i in sorted(set(indices)):
        runs.setdefault(keyframes[bisect_right(keyframes, i) - 1], []).append(i)
    return list(runs.items())
