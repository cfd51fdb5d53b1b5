"""Takes a repeat that follows at once for free.

Message: should be
"""


def decoded_per_asked(indices, keyframes, how):
    if not indices:
        raise ValueError("no")
    if how == "scan":
        return (max(indices) + 1) / len(indices)
    if how == "seek":
        total, last = 0, None
        for i in indices:
            if i != last:
                total += i - keyframes[bisect_right(keyframes, i) - 1] + 1
            last = i
        return total / len(indices)
    if how == "plan":
        return sum(r[-1] - k + 1 for k, r in decode_runs(indices, keyframes)) / len(indices)
    raise ValueError(f"{how}")
