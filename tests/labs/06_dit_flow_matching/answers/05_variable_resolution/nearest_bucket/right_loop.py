"""Keeps the best so far, rule by rule."""


def nearest_bucket(shape, buckets):
    if len(buckets) == 0:
        raise ValueError("an empty list of buckets")
    t, h, w = shape
    best = None
    for bucket in buckets:
        bt, bh, bw = bucket
        if bt > t or bh > h or bw > w:
            continue
        off = abs(math.log((w * bh) / (h * bw)))
        if best is None:
            best, best_off = bucket, off
            continue
        if bt != best[0]:
            better = bt > best[0]
        elif abs(off - best_off) > 1e-9:
            better = off < best_off
        else:
            better = bh * bw > best[1] * best[2]
        if better:
            best, best_off = bucket, off
    return best
