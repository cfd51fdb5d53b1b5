"""Takes negative numbers and films without a first keyframe.

Message: should raise ValueError
"""


def decode_runs(indices, keyframes):

    groups = {}
    for index in sorted(set(indices)):
        groups.setdefault(keyframes[bisect_right(keyframes, index) - 1], []).append(index)
    return list(groups.items())
