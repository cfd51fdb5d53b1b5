"""Counts by comparing with the whole sample, and asks torch for the quantile."""


class MotionBuckets:
    LAST = 255

    def __init__(self, sample: torch.Tensor):
        if sample.ndim != 1 or not len(sample):
            raise ValueError(f"a sample is some scores (N,), got {tuple(sample.shape)}")
        self.sorted = sample.double().sort().values

    def bucket(self, scores: torch.Tensor) -> torch.Tensor:
        below = (self.sorted < scores.double()[..., None]).sum(-1)
        return torch.clamp(torch.div(below * 256, self.sorted.numel(), rounding_mode="floor"), 0, 255)

    def score(self, buckets: torch.Tensor) -> torch.Tensor:
        if buckets.min() < 0 or buckets.max() > 255:
            raise ValueError("no such bucket")
        part = (buckets.double().flatten() + 0.5) / 256
        return torch.quantile(self.sorted, part).reshape(buckets.shape).float()
