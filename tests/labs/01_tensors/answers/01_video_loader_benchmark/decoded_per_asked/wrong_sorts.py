"""Sorts the caller's list.

Message: changed the indices
"""


def decoded_per_asked(indices, keyframes, how):
    if not indices:
        raise ValueError("no")
    indices.sort()
    if how == "scan":
        return (indices[-1] + 1) / len(indices)
    if how == "seek":
        return sum(r[-1] - k + 1 for i in indices for k, r in decode_runs([i], keyframes)) / len(indices)
    if how == "plan":
        return sum(r[-1] - k + 1 for k, r in decode_runs(indices, keyframes)) / len(indices)
    raise ValueError(f"{how}")
