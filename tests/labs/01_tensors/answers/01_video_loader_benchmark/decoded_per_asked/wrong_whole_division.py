"""Divides with //.

Message: should be
"""


def decoded_per_asked(indices, keyframes, how):
    if len(indices) == 0:
        raise ValueError("ask for at least one frame")
    before = [max(k for k in keyframes if k <= i) for i in indices]
    if how == "scan":
        decoded = max(indices) + 1
    elif how == "seek":
        decoded = sum(i - k + 1 for i, k in zip(indices, before))
    elif how == "plan":
        decoded = sum(run[-1] - k + 1 for k, run in decode_runs(indices, keyframes))
    else:
        raise ValueError(f"unknown way {how!r}")
    return decoded // len(indices)
