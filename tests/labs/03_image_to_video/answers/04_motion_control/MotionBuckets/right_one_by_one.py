"""With bisect, number by number."""


class MotionBuckets:
    LAST = 255

    def __init__(self, sample: torch.Tensor):
        if sample.ndim != 1 or not len(sample):
            raise ValueError(f"a sample is some scores (N,), got {tuple(sample.shape)}")
        self.sorted = sample.double().sort().values

    def bucket(self, scores: torch.Tensor) -> torch.Tensor:
        import bisect

        order = self.sorted.tolist()
        found = [min(255, 256 * bisect.bisect_left(order, s) // len(order)) for s in scores.double().flatten().tolist()]
        return torch.tensor(found, dtype=torch.int64).reshape(scores.shape)

    def score(self, buckets: torch.Tensor) -> torch.Tensor:
        order, found = self.sorted.tolist(), []
        for bucket in buckets.double().flatten().tolist():
            if bucket < 0 or bucket > 255:
                raise ValueError(f"bucket {bucket}")
            place = (bucket + 0.5) * (len(order) - 1) / 256
            k = int(place)
            above = order[min(k + 1, len(order) - 1)]
            found.append((1 - (place - k)) * order[k] + (place - k) * above)
        return torch.tensor(found, dtype=torch.float32).reshape(buckets.shape)
