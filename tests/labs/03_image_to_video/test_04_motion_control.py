"""Grader of lab 03.4, Motion control.

Oracles: scores frame by frame from weighted means, buckets by counting, sinusoids number by number, ranks by sorting.
The outcome is judged with the shipped weights behind the learner's conditioning.
"""

import copy
import math
from functools import partial

import pytest
import torch
from torch.nn import functional as F

from common.course.graders import Call, attempt, number, outcomes, record, stand_ins, tensor, theorems
from common.course.graders.dosing import response_of
from common.course.graders.values import coins, noise, uniform
from common.zoo.sprites_dose.study import dose_gain

exercise = pytest.mark.exercise


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: partial(oracle, **how) for message, how in wrong.items()}


scored = Call("motion_scores", takes={"flow": "... p t h w", "masks": "... t h w"}, gives=tensor("... s"),
              sizes=lambda given: {"s": 2}, parameters=("flow", "masks", "fps"))  # fmt: skip


def scores_of(flow, masks, fps, *, lengths_first=False, over=True, by="height", per="second", swap=False, hard=False,
              whole=False, empty="left out"):  # fmt: skip
    """Oracle, clip by clip and frame by frame, and ways to do it wrong."""
    found = torch.zeros(*flow.shape[:-4], 2, dtype=torch.float64)
    for clip in [tuple(k) for k in torch.ones(flow.shape[:-4]).nonzero().tolist()]:
        values = [[], []]
        for t in range(flow.shape[-3]):
            f, m = flow[clip][:, t].double(), masks[clip][t].double()
            inside, outside = (m > 0.5).double() if hard else m, 1 - ((m > 0.5).double() if hard else m)
            outside = torch.ones_like(m) if whole else outside
            back = (f * outside).sum((1, 2)) / outside.sum().clamp(min=1e-6)
            own = (f * inside).sum((1, 2)) / inside.sum().clamp(min=1e-6) - over * back
            if lengths_first:
                back = (f.norm(dim=0) * outside).sum() / outside.sum().clamp(min=1e-6)
                beyond = f - (f * outside).sum((1, 2))[:, None, None] / outside.sum().clamp(min=1e-6)
                own = (beyond.norm(dim=0) * inside).sum() / inside.sum().clamp(min=1e-6)
            for kept, motion, size in zip(values, (own, back), (inside.sum(), outside.sum())):
                if size > 0:
                    kept.append(motion.norm())
                elif empty == "counts":
                    kept.append(torch.zeros((), dtype=torch.float64))
        found[clip] = torch.stack(
            [torch.stack(v).mean() if v else torch.zeros((), dtype=torch.float64) for v in values]
        )
    found = found.flip(-1) if swap else found
    size = {"height": flow.shape[-2], "width": flow.shape[-1], "pixel": 1}[by]
    return found * (fps if per == "second" else 1) / size


SCORE_MISTAKES = {
    "it is the mean of the lengths. First the mean vector of a frame, then its length": {"lengths_first": True},
    "the object's motion is that in the picture. It is that over the background": {"over": False},
    "it is in widths. Lengths are in heights of the picture": {"by": "width"},
    "it is in pixels. Lengths are in heights of the picture": {"by": "pixel"},
    "it is per frame. Multiply by fps": {"per": "frame"},
    "object and camera are swapped": {"swap": True},
    "the mask is made hard. It is a weight from 0 to 1": {"hard": True},
    "the background is the whole picture. It is what the object does not cover": {"whole": True},
    "frames without the object count as 0. They are left out": {"empty": "counts"},
}


def flows(seed, *size, empty=()):
    """Flow and masks `(..., T, H, W)`, with frames in which the mask is all 0 or all 1."""
    flow, masks = noise(seed, *size[:-3], 2, *size[-3:]) + 0.7, uniform(seed + 1, *size, low=0.0, high=1.0)
    masks = torch.where(masks < 0.4, 0.0, masks)
    for t, value in empty:
        masks[..., t, :, :] = value
    return flow, masks


@exercise("motion_scores", points=5, hint="mean vectors inside and outside, (..., 2, T); then lengths; then the frames")
def test_scores(lab, seed, look):
    """lengths of the background's mean flow, and of the object's beyond it, in heights per second"""
    rows = [(*flows(seed, 3, 4, 6), 8), (*flows(seed + 2, 2, 4, 5, 3), 24.0), (*flows(seed + 4, 2, 3, 1, 3, 4), 12.5),
            (*flows(seed + 6, 4, 4, 5, empty=[(1, 0.0), (2, 1.0)]), 8),
            (*flows(seed + 8, 2, 3, 4, empty=[(0, 0.0), (1, 0.0)]), 6)]  # fmt: skip
    for clip, frame, value in ((0, 1, 0.0), (1, 0, 1.0)):  # each clip leaves out frames of its own
        rows[1][1][clip, frame] = value
    because = "it is the mean length of the mean vectors, times fps, in heights"
    answers = scored.table(lab, rows, scores_of, ways(scores_of, SCORE_MISTAKES), because=because)
    look(target=scores_of(*rows[1]).float(), yours=answers[1].value)


@exercise("motion_scores", points=1, hint="ValueError for fps ≤ 0; clamp what stands below a fraction")
def test_scores_owes(lab, seed):
    """inputs stay as they are, double precision is kept, a rate of zero is refused, nothing is NaN"""
    theorems.owes(scored, lab, *flows(seed, 2, 3, 4, 5), 8, other=(*flows(seed + 3, 3, 2, 5, 4), 8),
                  dtypes=(torch.float64,))  # fmt: skip
    for value in (0.0, 1.0):
        flow, masks = flows(seed, 2, 4, 5, empty=[(0, value), (1, value)])
        scored(lab, flow, masks, 8).near(scores_of(flow, masks, 8), because="where no frame counts, it is 0")
    for fps in (0, -8.0):
        scored.refuses(lab, *flows(seed, 2, 3, 3), fps, because="fps is not above 0")


bucketed = Call("buckets.bucket", takes={"scores": "..."}, gives=tensor("...", torch.int64), parameters=("scores",))
inverted = Call("buckets.score", takes={"buckets": "..."}, gives=tensor("...", torch.float32), parameters=("buckets",))


def bucket_of(sample, values, *, equal=False, scale=256, rounded=False, most=255, linear=False):
    """Oracle by counting, and ways to do it wrong."""
    found, sample = [], sample.double()
    for value in values.double().flatten():
        below = int(((sample <= value) if equal else (sample < value)).sum())
        part = below / len(sample)
        if linear:
            part = float((value - sample.min()) / (sample.max() - sample.min()).clamp(min=1e-9))
        place = scale * below // len(sample) if not (rounded or linear) else scale * part
        found.append(max(0, min(most, round(place) if rounded else int(place))))
    return torch.tensor(found).reshape(values.shape)


BUCKET_MISTAKES = {
    "equal scores are counted as below. Only what is below counts": {"equal": True},
    "it is 255 p. It is 256 p, rounded down": {"scale": 255},
    "it is rounded to the nearest. It is rounded down": {"rounded": True},
    "the fastest are in bucket 256. The last one is 255": {"most": 256},
    "it is the place between slowest and fastest. It is the part of the sample that is slower": {"linear": True},
}


def score_of(sample, buckets, *, middle=0.5, parts=256, between=True, count=-1):
    """Oracle, one by one, and ways to do it wrong."""
    order, found = sample.double().sort().values, []
    for bucket in buckets.double().flatten().tolist():
        place = (bucket + middle) / parts * (len(order) + count)
        low = min(int(place), len(order) - 1)
        high = min(low + 1, len(order) - 1)
        found.append(float(order[low] + between * (place - low) * (order[high] - order[low])))
    return torch.tensor(found, dtype=torch.float64).reshape(buckets.shape)


SCORE_OF_MISTAKES = {
    "it is the quantile at bucket / 256. It is the middle of the bucket, (bucket + 1/2) / 256": {"middle": 0.0},
    "it is the quantile at bucket / 255. It is at (bucket + 1/2) / 256": {"middle": 0.0, "parts": 255},
    "it is one of the sample. Between two of them it is on a straight line": {"between": False},
    "the sample has N scores and N - 1 gaps between them: times N - 1": {"count": 0},
}


def made(lab, sample):
    return attempt("MotionBuckets(sample)", lab.MotionBuckets, sample)


@exercise("MotionBuckets", points=4, hint="256 * torch.searchsorted(self.sorted, scores.double()) // N, at most 255")
def test_bucket(lab, seed, look):
    """floor(256 p), where p is the part of the sample that is below the score"""
    for sample in (noise(seed, 1000).exp(), uniform(seed + 1, 37, low=0.0, high=2.0), torch.tensor([0.5]),
                   torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0, 3.0])):  # fmt: skip
        own = sample[:: max(1, len(sample) // 9)]
        rows = [(own,), (uniform(seed + 2, 2, 3, low=-0.5, high=4.0),), (torch.tensor(99.0),),
                (own.double() + 1e-9,), (torch.tensor([-1.0, 1.0, 0.0]),)]  # fmt: skip
        right = partial(bucket_of, sample)
        because = "it is 256 times the part of the sample below the score, rounded down, at most 255"
        answers = bucketed.table(
            made(lab, sample).bucket, rows, right, ways(right, BUCKET_MISTAKES), because=because, tolerance=0
        )
    look(target=right(rows[1][0]).float(), yours=answers[1].value.float())


@exercise(
    "MotionBuckets", points=4, hint="place = (buckets.double() + 0.5) / 256 * (N - 1), mixed from both neighbours"
)
def test_score(lab, seed):
    """the quantile in the middle of the bucket; the way back stays there; buckets beyond 0 to 255 are refused"""
    for sample in (noise(seed, 1000).exp(), uniform(seed + 1, 5, low=0.0, high=2.0), torch.tensor([0.5])):
        buckets = made(lab, sample)
        rows = [(torch.arange(256),), (uniform(seed, 2, 3, low=0.0, high=255.0),), (torch.tensor(127),),
                (torch.tensor([0, 255]),)]  # fmt: skip
        right = partial(score_of, sample)
        because = "it is the quantile of the sample at (bucket + 1/2) / 256"
        inverted.table(buckets.score, rows, right, ways(right, SCORE_OF_MISTAKES), because=because)
        for wrong in (-1, 256, 255.5, -0.2):
            inverted.refuses(buckets.score, torch.tensor([3.0, wrong]), because="a bucket is below 0 or above 255")
    sample = noise(seed, 4096).exp()
    buckets = made(lab, sample)
    back = bucketed(buckets.bucket, inverted(buckets.score, torch.arange(256)).value).value
    assert bool((back - torch.arange(256)).abs().max() <= 1), "a bucket's score is more than a bucket away from it"


told = Call("conditioning", takes={"ids": "b k"}, gives=tensor("b e"), parameters=("ids",))


def embedded(m, ids, *, first="cos", order="number", act=F.silu, base=10_000.0, gap=0, scale=1.0, double=False):
    """Oracle number by number, and ways to do it wrong."""
    half = m.dim // 2
    waves = []
    for row in ids.double():
        parts = []
        for value in row.tolist():
            angles = [scale * value * base ** (-k / (half - gap)) for k in range(half)]
            cosines, sines = [math.cos(a) for a in angles], [math.sin(a) for a in angles]
            if order == "turns":
                parts.append([v for pair in zip(cosines, sines) for v in pair])
            else:
                parts.append(cosines + sines if first == "cos" else sines + cosines)
        if order == "kind":
            parts = [p[:half] for p in parts] + [p[half:] for p in parts]
        waves.append([v for part in parts for v in part])
    waves = torch.tensor(waves, dtype=torch.float64)
    one, two = ((layer.weight.double(), layer.bias.double()) for layer in (m.linear_1, m.linear_2))
    return (act(waves @ one[0].T + one[1]) @ two[0].T + two[1]).detach()


TOLD_MISTAKES = {
    "the sines come first. It is cosines, then sines": {"first": "sin"},
    "cosine and sine take turns. All cosines of a number come first": {"order": "turns"},
    "all numbers' cosines come first. Each number keeps its own together": {"order": "kind"},
    "there is no SiLU between the layers": {"act": lambda x: x},
    "there is a GELU between the layers. It is SiLU": {"act": F.gelu},
    "the exponent is -k / (n - 1). It is -k / n": {"gap": 1},
    "the numbers are divided by 255. They stay as they are": {"scale": 1 / 255},
}


def layer_of(lab, seed, num_ids, dim=8, embed_dim=6):
    said = f"MicroConditioning({num_ids}, {dim}, {embed_dim})"
    return stand_ins.fill(attempt(said, lab.MicroConditioning, num_ids, dim, embed_dim), seed, 0.5).requires_grad_(
        False
    )


@exercise("MicroConditioning", points=5, hint="cat([cos, sin], -1).flatten(1), then linear_1, SiLU, linear_2")
def test_conditioning(lab, seed, look):
    """cosines and sines of each number, number after number, through two layers"""
    for num_ids, dim in ((1, 8), (3, 6), (5, 4)):
        layer = layer_of(lab, seed, num_ids, dim)
        rows = [(uniform(seed + 1, 4, num_ids, low=0.0, high=9.0),),
                (uniform(seed + 2, 1, num_ids, low=-3.0, high=3.0),),
                ((255 * coins(seed, 3, num_ids)).long(),)]  # fmt: skip
        right = partial(embedded, layer)
        answers = told.table(layer, rows, right, ways(right, TOLD_MISTAKES), because="it is the docstring's two lines",
                             tolerance=2e-5)  # fmt: skip
    look(target=right(*rows[0]).float(), yours=answers[0].value)


@exercise(
    "MicroConditioning", points=3, hint="ids.float(), waves.to(self.linear_1.weight.dtype); ValueError for other K"
)
def test_conditioning_owes(lab, seed):
    """fresh it says nothing, its weights learn, half precision goes through, another K is refused"""
    fresh, ids = attempt("MicroConditioning(3, 8, 6)", lab.MicroConditioning, 3, 8, 6), uniform(seed, 2, 3, high=250.0)
    answer = told(fresh, ids)
    answer.near(torch.zeros(2, 6), tolerance=0, because="linear_2 is zero at first")
    layer = layer_of(lab, seed, 3)
    theorems.owes(told, layer, ids, other=(uniform(seed + 3, 4, 3, high=250.0),), dtypes=())
    theorems.batch_is_samples(told, layer, ids)
    answer = told(layer.requires_grad_(), ids)
    theorems.learns(answer.said, answer.value.square(), dict(layer.named_parameters()))
    layer.requires_grad_(False)
    right = embedded(layer, ids)
    for dtype, tolerance in ((torch.float16, 0.05), (torch.bfloat16, 0.3), (torch.float64, 1e-4)):
        value = told(copy.deepcopy(layer).to(dtype), ids)
        assert value.value.dtype == dtype, f"{value.said} with weights in {dtype} is {value.value.dtype}"
        off = (value.value.double() - right).abs().max()
        assert off < tolerance, (
            f"{value.said} with weights in {dtype} is off by {off:.2g}: compute the sinusoids in float32"
        )
    half = told(layer, ids.half().float()).value
    low = told(layer, ids.half()).value
    assert torch.allclose(half, low, atol=1e-4), "ids in float16 give something else: compute the sinusoids in float32"
    for wrong in (torch.ones(2, 2), torch.ones(2, 4), torch.ones(3), torch.ones(2, 3, 1)):
        told.refuses(layer, wrong, because=f"ids are {tuple(wrong.shape)}, and num_ids is 3")


responded = Call("dose_response", takes={"asked": "p k", "measured": "p k"},
                 gives=record("object", spearman=number(), slope=number(), error=number()))  # fmt: skip


RESPONSE_MISTAKES = {
    "equal values get different ranks. They share the mean of theirs": {"ties": "order"},
    "it is the correlation of the values. It is that of their ranks": {"ranked": False},
    "it is the mean over the pictures. It is the median": {"each": "mean"},
    "all pictures are ranked together. Each has a rank correlation of its own": {"pooled": True},
    "the slope is that of the speeds. It is that of their logarithms": {"log": False},
    "the line goes through the origin. Take both means away": {"through": "origin"},
    "the error has a sign. It is the size that counts": {"signed": True},
    "the error is a part of what was measured. It is a part of what was asked": {"over": "measured"},
    "the error is the mean. It is the median": {"error": "mean"},
}


def curves(seed, pictures=5, doses=6, ties=False):
    asked = (uniform(seed, pictures, doses, low=0.2, high=1.0).cumsum(dim=1) / 4)[:, torch.randperm(
        doses, generator=torch.Generator().manual_seed(seed))]  # fmt: skip
    measured = (
        asked * uniform(seed + 1, pictures, doses, low=0.3, high=1.6) + 0.05 * noise(seed + 2, pictures, doses).abs()
    )
    return asked, (measured * 5).round() / 5 if ties else measured


@exercise("dose_response", points=6, hint="ranks = how many are below + half of how many are equal; then a correlation")
def test_response(lab, seed, look):
    """the median rank correlation of a picture, the slope of the logarithms, the median error"""
    asked, measured = curves(seed, 3, 4)
    measured[1] = 0.4  # one picture does not respond at all
    rows = [curves(seed), curves(seed + 3, 3, 5, ties=True), curves(seed + 6, 1, 2), (asked, measured),
            curves(seed + 9, 7, 3, ties=True), (torch.ones(2, 4).cumsum(1), torch.zeros(2, 4))]  # fmt: skip
    for part in ("spearman", "slope", "error"):
        right = lambda a, m, part=part, **how: getattr(response_of(a, m, **how), part)  # noqa: E731
        answers = responded.table(lab, rows, right, ways(right, RESPONSE_MISTAKES), part=part,
                                  because=f"it is the docstring's {part}", tolerance=1e-5)  # fmt: skip
    look(target=torch.tensor([response_of(*row).error for row in rows]).float(),
         yours=torch.tensor([float(answer.value) for answer in answers]))  # fmt: skip


@exercise("dose_response", points=2, hint="ValueError unless both are (P, K) with K ≥ 2; compute in float64")
def test_response_owes(lab, seed):
    """inputs stay as they are, other dtypes go through, shapes that do not fit are refused"""
    asked, measured = curves(seed)
    due = response_of(asked.double(), measured.double())
    low = responded(lab, asked.double(), measured.double())
    low["spearman"].near(due.spearman, because="float64 goes through")
    for a, m in ((asked, measured[:, :-1]), (asked[0], measured[0]), (asked[:, :1], measured[:, :1]),
                 (asked[None], measured[None]), (asked[:-1], measured)):  # fmt: skip
        responded.refuses(lab, a, m, because=f"the shapes are {tuple(a.shape)} and {tuple(m.shape)}")


@exercise("MicroConditioning", points=3, hint="Compare with diffusers' Timesteps(256, True, 0) and TimestepEmbedding.")
def test_your_layer_tells_the_model(lab, seed):
    """the shipped model, told its doses by your layer: its loss is lower than told the opposite ones"""
    said = "the loss of sprites-dose told by your MicroConditioning, divided by that with opposite doses,"
    found = attempt(said, dose_gain, lab.MicroConditioning, seed % 5)
    outcomes.load(__file__)["doses_help"].judge(said, found)
