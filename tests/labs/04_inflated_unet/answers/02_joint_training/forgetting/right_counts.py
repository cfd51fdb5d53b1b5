"""Pairs counted in plain Python."""


def forgetting(before, after):
    if before.dim() != 1 or before.shape != after.shape or before.numel() == 0:
        raise ValueError("before and after are (N,)")
    pairs = list(zip(before.tolist(), after.tolist()))
    b, c = pairs.count((True, False)), pairs.count((False, True))
    both = pairs.count((True, True))
    n = len(pairs) + 2
    d = (b - c) / n
    spread = 1.96 * math.sqrt(b + c + 1 - n * d**2) / n
    low, high = (min(1.0, max(-1.0, end)) for end in (d - spread, d + spread))
    return Forgetting((both + b) / len(pairs), (both + c) / len(pairs), (b - c) / len(pairs), (low, high))
