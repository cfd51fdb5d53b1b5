"""A mutable default keeps the runs of the call before.

Message: should be
"""


def decode_runs(indices, keyframes, runs=[]):
    if not keyframes or keyframes[0] != 0:
        raise ValueError("bad")
    if any(i < 0 for i in indices):
        raise ValueError("bad")
    for i in sorted(set(indices)):
        k = keyframes[bisect_right(keyframes, i) - 1]
        if not runs or runs[-1][0] != k:
            runs.append((k, []))
        runs[-1][1].append(i)
    return list(runs)
