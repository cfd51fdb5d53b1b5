"""Goes on from where it stands when the next index lies ahead.

Message: goes back to the keyframe
"""


def decoded_per_asked(indices, keyframes, how):
    if len(indices) == 0:
        raise ValueError("ask for at least one frame")
    before = [max(k for k in keyframes if k <= i) for i in indices]
    if how == "scan":
        decoded = max(indices) + 1
    elif how == "seek":
        decoded, position = 0, 10**9
        for i, k in zip(indices, before):
            decoded += i - position if k <= position <= i else i - k + 1
            position = i
    elif how == "plan":
        decoded = sum(run[-1] - k + 1 for k, run in decode_runs(indices, keyframes))
    else:
        raise ValueError(f"unknown way {how!r}")
    return decoded / len(indices)
