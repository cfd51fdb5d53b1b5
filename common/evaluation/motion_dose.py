"""How much moves: scores of object and camera, the buckets that a model is told, and whether it does as it is told.

scores = motion_scores(flow, masks, fps)            heights per second, of object and camera
told = MotionBuckets(sample).bucket(scores)         from 0 to 255, by the quantiles of the training clips
dose_response(asked, measured)                      rank correlation, slope and error of what came out
"""

from typing import NamedTuple

import torch


def motion_scores(flow: torch.Tensor, masks: torch.Tensor, fps: float) -> torch.Tensor:
    """Motion scores of a clip: how fast its object goes over the background, and how fast the background goes.

    In each frame the background's motion is the mean flow outside of the object, a vector, and the object's is the mean
    flow inside minus the background's. The score is the mean length of such a vector over the frames, in heights of
    the picture per second. So it depends neither on the picture's size nor on the frame rate.

    Args:
        flow: of every frame to the next one, x then y, in pixels per frame: `(..., 2, T, H, W)`.
        masks: how much of each pixel the object covers, from 0 to 1: `(..., T, H, W)`. Both means are weighted by it:
            inside by the mask, outside by 1 - mask.
        fps: frames per second.

    Returns:
        `(..., 2)`: the object's and the camera's score. A frame in which the mask is 0 everywhere does not count for
        the object, one in which it is 1 everywhere does not count for the camera. Where no frame counts, it is 0.

    Raises:
        ValueError: fps is not above 0.
    """
    if not fps > 0:
        raise ValueError(f"a clip has some frames per second, got {fps}")
    inside, outside = masks.unsqueeze(-4), 1 - masks.unsqueeze(-4)  # (..., 1, T, H, W)
    size_in, size_out = inside.sum(dim=(-2, -1)), outside.sum(dim=(-2, -1))  # (..., 1, T)
    background = (flow * outside).sum(dim=(-2, -1)) / size_out.clamp(min=1e-6)  # (..., 2, T)
    own = (flow * inside).sum(dim=(-2, -1)) / size_in.clamp(min=1e-6) - background
    means = []
    for motion, size in ((own, size_in), (background, size_out)):
        counts = (size.squeeze(-2) > 0).to(flow.dtype)  # (..., T)
        means.append((motion.norm(dim=-2) * counts).sum(dim=-1) / counts.sum(dim=-1).clamp(min=1))
    return torch.stack(means, dim=-1) * fps / flow.shape[-2]


class MotionBuckets:
    """Motion buckets: whole numbers from 0 to 255 for motion scores, by the quantiles of a sample.

    A score's bucket says which part of the sample is slower. So every bucket is used about as often as any other, and
    a model meets all of them in training, however the scores are spread.

    Args:
        sample: scores of the training clips, `(N,)`, in any order.

    Raises:
        ValueError: the sample is empty, or has other axes.
    """

    LAST = 255

    def __init__(self, sample: torch.Tensor):
        if sample.ndim != 1 or not len(sample):
            raise ValueError(f"a sample is some scores (N,), got {tuple(sample.shape)}")
        self.sorted = sample.double().sort().values

    def bucket(self, scores: torch.Tensor) -> torch.Tensor:
        """Scores to buckets: floor(256 p), where p is the part of the sample that is below the score; at most 255.

        Args:
            scores: of any shape.

        Returns:
            int64, of the same shape. What is as slow as the slowest of the sample is in bucket 0, and what is faster
            than all of it in bucket 255.
        """
        below = torch.searchsorted(self.sorted, scores.double())  # how many are below
        return (256 * below // len(self.sorted)).clamp(max=self.LAST)

    def score(self, buckets: torch.Tensor) -> torch.Tensor:
        """Buckets to scores: the sample's quantile at (bucket + 1/2) / 256, between neighbours by a straight line.

        Args:
            buckets: numbers from 0 to 255, of any shape; whole ones or not.

        Returns:
            float32, of the same shape.

        Raises:
            ValueError: a bucket is below 0 or above 255.
        """
        if bool((buckets < 0).any() or (buckets > self.LAST).any()):
            raise ValueError(f"buckets go from 0 to {self.LAST}, got {buckets.min()} to {buckets.max()}")
        place = (buckets.double() + 0.5) / 256 * (len(self.sorted) - 1)
        low = place.floor().long()
        high = (low + 1).clamp(max=len(self.sorted) - 1)
        return (self.sorted[low] + (place - low) * (self.sorted[high] - self.sorted[low])).float()


class DoseResponse(NamedTuple):
    """Whether a model does as much as it is told.

    Attributes:
        spearman: the median over pictures of the rank correlation of asked and measured. (All medians are torch's: of
            an even number of values the lower one of the middle two.)
        slope: of the straight line through all pairs of logarithms: 1 where twice as much asked is twice as much done.
        error: the median of |measured / asked - 1| over all pairs.
    """

    spearman: float
    slope: float
    error: float


def dose_response(asked: torch.Tensor, measured: torch.Tensor) -> DoseResponse:
    """The dose–response of a model: what came out, for what was asked.

    The rank correlation of a picture (Spearman 1904) is the ordinary correlation of the ranks of its doses with the
    ranks of its responses. Equal values share the mean of their ranks. Where all responses of a picture are equal,
    it is 0.

    Args:
        asked: the doses that each picture got, as speeds above 0, `(P, K)`: P pictures, K different doses each.
        measured: the speeds that came out, `(P, K)`. For the slope, speeds below 0.001 count as 0.001.

    Returns:
        `DoseResponse(spearman, slope, error)`, three floats. `spearman`: the median of the pictures' rank correlations.
        `slope`: of the least-squares line, with an intercept, of ln(measured) over ln(asked), through all P K pairs at
        once. `error`: the median of |measured / asked - 1| over all pairs. Medians are torch's: the lower of two.

    Raises:
        ValueError: the shapes differ, or are not `(P, K)`, or K is below 2.
    """
    if asked.shape != measured.shape or asked.ndim != 2 or asked.shape[1] < 2:
        raise ValueError(f"asked and measured are (P, K) with K ≥ 2, got {tuple(asked.shape)}, {tuple(measured.shape)}")
    asked, measured = asked.double(), measured.double()
    spearman = _correlation(_ranks(asked), _ranks(measured)).median().item()
    x, y = asked.log().flatten(), measured.clamp(min=1e-3).log().flatten()
    x = x - x.mean()
    slope = float((x * (y - y.mean())).sum() / x.square().sum())
    return DoseResponse(spearman, slope, float((measured / asked - 1).abs().median()))


def _ranks(values: torch.Tensor) -> torch.Tensor:
    """The rank of each value in its row; equal values share the mean of theirs."""
    others = values.unsqueeze(-2)
    return (others < values.unsqueeze(-1)).sum(-1) + 0.5 * (others == values.unsqueeze(-1)).sum(-1).double()


def _correlation(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The correlation of each pair of rows; 0 where one of them is constant."""
    x, y = x - x.mean(-1, keepdim=True), y - y.mean(-1, keepdim=True)
    size = (x.square().sum(-1) * y.square().sum(-1)).sqrt()
    return torch.where(size > 1e-12, (x * y).sum(-1) / size.clamp(min=1e-12), 0.0)
