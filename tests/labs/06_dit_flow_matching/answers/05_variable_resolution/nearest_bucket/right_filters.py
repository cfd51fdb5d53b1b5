"""Narrows a list down, one rule after the other."""


def nearest_bucket(shape, buckets):
    if not buckets:
        raise ValueError("no buckets")

    def off(bucket):
        return abs(math.log(shape[2]) - math.log(shape[1]) - math.log(bucket[2]) + math.log(bucket[1]))

    left = [b for b in buckets if b[0] <= shape[0] and b[1] <= shape[1] and b[2] <= shape[2]]
    for score in (lambda b: b[0], lambda b: -off(b), lambda b: b[1] * b[2]):
        if left:
            top = max(map(score, left))
            left = [b for b in left if score(b) > top - 1e-9]
    return left[0] if left else None
