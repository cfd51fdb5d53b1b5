"""Grader of lab 02.2, frame interpolation.

Every test has its own oracle: a loop over pixels, a picture whose motion is known, a stand-in for the network that does
one known thing. The library's parts of this lab are off limits while this file runs; `warp` and `halve` are others.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from common.course.grader_tools import attempt, refuses
from common.flow import halve, warp

exercise = pytest.mark.exercise
FAINT = 1e-3


def shape(x):
    return tuple(x.shape) if hasattr(x, "shape") else type(x).__name__


def noise(seed, *size, dtype=torch.float32):
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def off(a, b):
    """The largest difference, or infinity where the shapes differ or something is not finite."""
    if tuple(a.shape) != tuple(b.shape) or not torch.isfinite(a).all():
        return float("inf")
    return (a.double() - b.double()).abs().max().item()


def constant(u, v, size=(12, 20), batch=2):
    return torch.tensor([u, v], dtype=torch.float32).reshape(1, 2, 1, 1).expand(batch, 2, *size).clone()


# ---------------------------------------------------------------------------------------------- warp_to_time


def warped(lab, first, last, forward, backward, time=None):
    said = f"warp_to_time(two pictures {shape(first)}, two flows, time={0.5 if time is None else time})"
    times = () if time is None else (time,)
    got = attempt(said, lab.warp_to_time, first, last, forward, backward, *times)
    assert isinstance(got, (tuple, list)) and len(got) == 2 and all(map(torch.is_tensor, got)), (
        f"{said} should give two pictures, the first and the last one warped; yours gives {type(got).__name__}"
    )
    for picture in got:
        assert picture.shape == first.shape, f"{said}: each result has the shape {shape(first)}, not {shape(picture)}"
    return got


@exercise(
    "warp_to_time", points=2, hint="At time 0 the flow to the last picture is `forward`, and that to the first 0."
)
def test_warp_ends(lab, seed):
    """at time 0 the first picture is untouched and the last is brought all the way; at time 1 the other way round"""
    first, last = noise(seed, 2, 3, 9, 14), noise(seed + 1, 2, 3, 9, 14)
    forward, backward = 3 * noise(seed + 2, 2, 2, 9, 14), 3 * noise(seed + 3, 2, 2, 9, 14)
    at_first, at_last = warped(lab, first, last, forward, backward, 0.0)
    if off(at_first, first) > 1e-4:
        assert off(at_last, first) > 1e-4, (
            "the two results are in the wrong order: the first picture, warped, comes first"
        )
        assert off(at_first, warp(first, backward)) > 1e-4 and off(at_last, last) > 1e-4, (
            "time runs backwards: at time 0 it is the *first* picture that needs no warping, and yours warps it all "
            "the way"
        )
        pytest.fail(
            "at time 0 the first picture is where it should be: it must come back unchanged, and yours does not"
        )
    assert off(at_last, warp(last, -forward)) > 1e-4, (
        "at time 0 the last picture must be fetched from x + forward; yours is fetched from x - forward, the wrong way"
    )
    assert off(at_last, warp(last, backward)) > 1e-4, (
        "at time 0 the last picture was warped by `backward`, which starts at the last picture: backward warping wants "
        "the flow that starts where the result is, and that is `forward`"
    )
    assert off(at_last, warp(last, forward)) < 1e-4, (
        "at time 0 the last picture, warped, should be warp(last, forward): it is brought all the way to the first"
    )
    at_first, at_last = warped(lab, first, last, forward, backward, 1.0)
    assert off(at_last, last) < 1e-4, "at time 1 the last picture must come back unchanged; yours does not"
    assert off(at_first, warp(first, backward)) < 1e-4, (
        "at time 1 the first picture, warped, should be warp(first, backward): it is brought all the way to the last"
    )


@exercise("warp_to_time", points=2, hint="With a motion of 8 pixels, the first is fetched from -2 and the last from 6.")
def test_warp_quarter(lab, seed, look):
    """one motion of (8, -4): at a quarter of the time the first has moved by (2, -1), the last lacks (6, -3)"""
    first, last = noise(seed, 2, 3, 12, 20), noise(seed + 1, 2, 3, 12, 20)
    there = constant(8, -4)
    got = warped(lab, first, last, there, -there, 0.25)
    want = warp(first, constant(-2, 1)), warp(last, constant(6, -3))
    look(target=want[0][0][:, None], yours=got[0][0][:, None].detach())
    known = (
        ((constant(2, -1), constant(-6, 3)), "both pictures moved the wrong way: the flow to the first is minus a part "
         "of `forward`, that to the last plus a part"),
        ((constant(-6, 3), constant(2, -1)), "time runs backwards: at a quarter the first picture is near and the last "
         "far; in yours it is the other way round"),
        ((constant(-4, 2), constant(4, -2)), "yours warps to the middle, whatever `time` is"),
        ((constant(6, -3), constant(-2, 1)), "the flows are crossed: the one that leads to the *first* picture warps "
         "the first picture"),
        ((constant(0, 0), constant(0, 0)), "nothing moved: the two flows cancel, so a sign is wrong"),
        ((constant(-1, 0.5), constant(3, -1.5)), "everything moved half as far as it should"),
    )  # fmt: skip
    for (to_first, to_last), message in known:
        if max(off(got[0], warp(first, to_first)), off(got[1], warp(last, to_last))) < 1e-4:
            pytest.fail(message)
    assert off(got[0], want[0]) < 1e-4, (
        "with the motion (8, -4) and time 0.25 the first picture should be fetched from (-2, 1); yours is not"
    )
    assert off(got[1], want[1]) < 1e-4, (
        "with the motion (8, -4) and time 0.25 the last picture should be fetched from (6, -3); yours is not"
    )


@exercise("warp_to_time", points=2, hint="-(1 - t) t and t^2 for the first; (1 - t)^2 and -t (1 - t) for the last.")
def test_warp_mixes_both_flows(lab, seed):
    """where the two flows disagree both have a say, the nearer end the larger one"""
    first, last = noise(seed, 2, 3, 9, 14), noise(seed + 1, 2, 3, 9, 14)
    forward, backward = 3 * noise(seed + 2, 2, 2, 9, 14), 3 * noise(seed + 3, 2, 2, 9, 14)
    for time in (0.3, 0.8, 0.5):
        got = warped(lab, first, last, forward, backward, time if time != 0.5 else None)
        a, b = 1 - time, time
        right = (-a * b * forward + b * b * backward, a * a * forward - a * b * backward)
        known = (
            ((-b * forward, a * forward), "only `forward` has a say: where the flows disagree both are mixed"),
            ((b * backward, -a * backward), "only `backward` has a say: where the flows disagree both are mixed"),
            ((b * backward, a * forward), "each side listens to one flow alone: where they disagree both are mixed"),
            ((-b * b * forward + a * b * backward, a * b * forward - a * a * backward),
             "the shares are exchanged: `forward` starts at the first picture and counts more when `time` is near 0"),
            ((b * (backward - forward) / 2, a * (forward - backward) / 2),
             "the two flows have equal shares at every time: the nearer end counts more"),
        )  # fmt: skip
        for (to_first, to_last), message in known:
            if time == 0.5:
                break
            if max(off(got[0], warp(first, to_first)), off(got[1], warp(last, to_last))) < 1e-4:
                pytest.fail(message)
        for name, picture, side, flow in (("first", first, 0, right[0]), ("last", last, 1, right[1])):
            assert off(got[side], warp(picture, flow)) < 1e-4, (
                f"at time {time} the {name} picture is not warped by the mixture of both flows that the formula asks "
                "for"
            )


@exercise("warp_to_time", points=1, hint="Nothing on the way may be .detach()ed, turned into numpy or rounded.")
def test_warp_learns_and_keeps_apart(lab, seed):
    """both pictures and both flows get gradients; nothing mixes the samples of a batch"""
    inputs = [noise(seed + k, 2, size, 8, 11).requires_grad_() for k, size in enumerate((3, 3, 2, 2))]
    got = warped(lab, *inputs, 0.4)
    assert all(picture.requires_grad for picture in got), (
        "the results carry no gradient: a network could not learn flows"
    )
    sum(picture[1].square().sum() for picture in got).backward()
    for name, tensor in zip(("first", "last", "forward", "backward"), inputs):
        assert tensor.grad is not None and tensor.grad[1].abs().sum() > 0, f"no gradient reaches `{name}`"
        assert tensor.grad[0].abs().sum() == 0, f"sample 1 of the result depends on sample 0 of `{name}`"


@exercise("warp_to_time", points=1, hint="if not 0 <= time <= 1: raise ValueError(f'... {time}')")
def test_warp_refuses_nonsense(lab):
    """a time outside 0 to 1, or pictures that differ in shape, are a ValueError that names it"""
    a, flow = torch.zeros(2, 3, 6, 9), torch.zeros(2, 2, 6, 9)
    refuses("warp_to_time with time=1.5", 1.5, lab.warp_to_time, a, a, flow, flow, 1.5)
    refuses("warp_to_time with time=-0.25", -0.25, lab.warp_to_time, a, a, flow, flow, -0.25)
    refuses("warp_to_time of (2, 3, 6, 9) and (2, 1, 6, 9)", "2, 1, 6, 9", lab.warp_to_time, a, a[:, :1], flow, flow)


# ---------------------------------------------------------------------------------------------- fuse


def right_fuse(a, b, seen_a, seen_b, time=0.5, faint=FAINT):
    """Oracle, in double precision."""
    a, b, seen_a, seen_b = (x.double() for x in (a, b, seen_a, seen_b))
    weight_a, weight_b = (1 - time) * (seen_a + faint), time * (seen_b + faint)
    return (weight_a * a + weight_b * b) / (weight_a + weight_b)


def fused(lab, a, b, seen_a, seen_b, time=None):
    said = f"fuse(two pictures {shape(a)}, two masks {shape(seen_a)}, time={0.5 if time is None else time})"
    got = attempt(said, lab.fuse, a, b, seen_a, seen_b, *(() if time is None else (time,)))
    assert torch.is_tensor(got), f"{said} should give a picture; yours gives {type(got).__name__}"
    assert got.shape == a.shape, f"{said} should have the shape {shape(a)}, not {shape(got)}"
    return got


def masks(value, like):
    return torch.full((len(like), 1, *like.shape[-2:]), float(value))


@exercise("fuse", points=2, hint="The weight of a side is its share by time, times (how visible it is + FAINT).")
def test_fuse_hidden(lab, seed, look):
    """what one picture hides comes from the other"""
    a, b = noise(seed, 2, 3, 7, 10), noise(seed + 1, 2, 3, 7, 10)
    got = fused(lab, a, b, masks(0, a), masks(1, a))
    want = right_fuse(a, b, masks(0, a), masks(1, a))
    look(target=want[0][:, None].float(), yours=got[0][:, None].detach())
    assert off(got, a) > 0.05, (
        "what the first picture hides should come from the last; yours takes it from the first: the masks are crossed, "
        "or read as 'hidden' where they say 'visible'"
    )
    assert off(got, (a + b) / 2) > 0.05, "the masks change nothing: this is the mean of both pictures"
    assert off(got, b / 2) > 0.05, (
        "a pixel that one side hides is half as bright as it should be: divide by the sum of the weights"
    )
    assert off(got, want) < 1e-4 or off(got, b) > 1e-2, (
        "nearly: with V0 = 0 and V1 = 1 the first still has FAINT / (1 + 2 FAINT) of a say; add FAINT to both masks"
    )
    assert off(got, want) < 1e-4, "what is hidden in the first picture should come from the last"
    assert off(fused(lab, a, b, masks(1, a), masks(0, a)), right_fuse(a, b, masks(1, a), masks(0, a))) < 1e-4, (
        "what is hidden in the last picture should come from the first"
    )


@exercise("fuse", points=2, hint="(1 - time) belongs to the first picture, time to the last.")
def test_fuse_time(lab, seed):
    """where both see a pixel, or neither, it is the mean by time: at a quarter, three parts of the first"""
    a, b = noise(seed, 2, 3, 7, 10), noise(seed + 1, 2, 3, 7, 10)
    for value, what in ((1, "both see"), (0, "neither sees"), (0.4, "both half see")):
        got = fused(lab, a, b, masks(value, a), masks(value, a), 0.25)
        assert torch.isfinite(got).all(), (
            f"where {what} a pixel the result is not a number: FAINT keeps the sum above 0"
        )
        assert off(got, 0.25 * a + 0.75 * b) > 0.02, (
            "time runs backwards: at a quarter the *first* picture is nearer and counts three times as much"
        )
        assert value != 0 or got.abs().max() > 1e-6, (
            "where neither sees a pixel yours is black (zero): add FAINT to both masks, and it is the mean by time"
        )
        assert off(got, (a + b) / 2) > 0.02, (
            f"where {what} a pixel `time` changes nothing: the nearer picture counts more"
        )
        want = 0.75 * a + 0.25 * b
        assert off(got, value * want) > 1e-3 or value == 1, (
            f"where {what} a pixel the result is too faint: divide by the sum of the weights"
        )
        assert off(got, want) < 1e-3, (
            f"where {what} a pixel it should be 3/4 of the first and 1/4 of the last at time 0.25"
        )


@exercise("fuse", points=2, hint="Any mask from 0 to 1 is a weight; nothing is thresholded.")
def test_fuse_formula(lab, seed):
    """any mask, any time, any numbers in the pictures: the weighted mean, each pixel by itself"""
    a, b = 3 * noise(seed, 3, 3, 6, 9), 3 * noise(seed + 1, 3, 3, 6, 9)
    seen_a, seen_b = ((noise(seed + k, 3, 1, 6, 9) + 1) / 2 for k in (2, 3))
    for time in (0.2, 0.7, None):
        got, t = fused(lab, a, b, seen_a, seen_b, time), 0.5 if time is None else time
        if off(got, right_fuse(a, b, seen_a, seen_b, t)) < 1e-4:
            continue
        known = (
            (right_fuse(a, b, seen_a.round(), seen_b.round(), t), "the masks are rounded to seen or hidden: half "
             "visible is half the weight"),
            (right_fuse(a, b, seen_a, 1 - seen_a, t), "the second mask is not used: yours takes one minus the first, "
             "which cannot say 'both' or 'neither'"),
            (right_fuse(a, b, 1 - seen_b, seen_b, t), "the first mask is not used: yours takes one minus the second, "
             "which cannot say 'both' or 'neither'"),
            (right_fuse(a, b, seen_a, seen_b, 0.5), "`time` has no effect"),
            (right_fuse(a, b, torch.softmax(torch.cat([seen_a, seen_b], 1), 1)[:, :1],
                        torch.softmax(torch.cat([seen_a, seen_b], 1), 1)[:, 1:], t, 0.0),
             "the masks go through a softmax: they are visibilities already, and the division makes them weights"),
            (right_fuse(a, b, seen_a, seen_b, t).clamp(-1, 1), "the result is clamped to [-1, 1]: features may be "
             "fused too, and where a network's picture is clamped no gradient passes"),
        )  # fmt: skip
        for values, message in known:
            assert off(got, values) > 5e-3, message
        pytest.fail(f"at time {t} yours is off by up to {off(got, right_fuse(a, b, seen_a, seen_b, t)):.3f}")


@exercise("fuse", points=1, hint="visible_first.to(warped_first.dtype) turns a bool mask into numbers.")
def test_fuse_types(lab, seed):
    """bool masks work, float64 stays float64, gradients reach pictures and masks, inputs are left alone"""
    a, b = noise(seed, 2, 3, 5, 8), noise(seed + 1, 2, 3, 5, 8)
    seen_a, seen_b = noise(seed + 2, 2, 1, 5, 8) > 0, noise(seed + 3, 2, 1, 5, 8) > 0
    kept = [x.clone() for x in (a, b, seen_a, seen_b)]
    got = fused(lab, a, b, seen_a, seen_b, 0.3)
    assert off(got, right_fuse(a, b, seen_a, seen_b, 0.3)) < 1e-4, "with bool masks yours gives something else"
    assert all(torch.equal(x, y) for x, y in zip((a, b, seen_a, seen_b), kept)), "fuse changed what it was given"
    assert fused(lab, a.double(), b.double(), seen_a, seen_b).dtype == torch.float64, "float64 pictures lost precision"
    inputs = [x.float().clone().requires_grad_() for x in (a, b, (noise(seed, 2, 1, 5, 8) + 1) / 2, seen_b)]
    fused(lab, *inputs, 0.3)[1].square().sum().backward()
    for name, x in zip(("the first picture", "the last picture", "the first mask", "the last mask"), inputs):
        assert x.grad is not None and x.grad[1].abs().sum() > 0, (
            f"no gradient reaches {name}: masks could not be learned"
        )
        assert x.grad[0].abs().sum() == 0, f"sample 1 of the result depends on sample 0 of {name}"


@exercise("fuse", points=1, hint="Compare the masks' shape with (B, 1, H, W), and raise ValueError with what you got.")
def test_fuse_refuses_nonsense(lab):
    """a time outside 0 to 1, pictures that differ, or a mask of another shape, are a ValueError that names it"""
    a, seen = torch.zeros(2, 3, 6, 9), torch.ones(2, 1, 6, 9)
    refuses("fuse with time=-1", -1, lab.fuse, a, a, seen, seen, -1)
    refuses("fuse with a mask (2, 6, 9)", "2, 6, 9", lab.fuse, a, a, seen[:, 0], seen)
    refuses("fuse with a mask (1, 1, 6, 9)", "1, 1, 6, 9", lab.fuse, a, a, seen, seen[:1])
    refuses("fuse of (2, 3, 6, 9) and (2, 3, 6, 8)", "2, 3, 6, 8", lab.fuse, a, a[..., :8], seen, seen)


# ---------------------------------------------------------------------------------------------- FeaturePyramid


def new_pyramid(lab, seed, channels=(5, 7), num_levels=4):
    torch.manual_seed(seed)
    pyramid = attempt(f"FeaturePyramid({list(channels)}, {num_levels})", lab.FeaturePyramid, list(channels), num_levels)
    return pyramid.double()


def levels_of(pyramid, picture):
    said = f"FeaturePyramid of a picture {shape(picture)} with {pyramid.num_levels} levels"
    got = attempt(said, pyramid, picture)
    assert isinstance(got, (list, tuple)) and all(map(torch.is_tensor, got)), (
        f"{said} should give a list of tensors; yours gives {type(got).__name__}"
    )
    return list(got)


def by_the_table(pyramid, picture, halving=halve, outer=F.silu, inner=F.silu):
    """Oracle: the fine and the coarse features of every level but the full size."""
    sizes = [picture]
    for _ in range(pyramid.num_levels - 1):
        sizes.append(halving(sizes[-1]))
    fine = [pyramid.fine(size) for size in sizes]
    coarse = [outer(pyramid.coarse(inner(f))) for f in fine[:-1]]
    return [outer(f) for f in fine[1:]], coarse


@exercise("FeaturePyramid", points=2, hint="num_levels sizes, features for all but the full one, largest first.")
def test_pyramid_sizes(lab, seed):
    """one tensor for every size but the full one, largest first, odd sizes rounded up"""
    pyramid = new_pyramid(lab, seed)
    for size, wanted in (((24, 40), [(12, 20), (6, 10), (3, 5)]), ((21, 38), [(11, 19), (6, 10), (3, 5)])):
        got = levels_of(pyramid, noise(seed, 2, 3, *size, dtype=torch.float64))
        sizes = [tuple(level.shape[-2:]) for level in got]
        assert sizes != wanted[::-1], "the levels come smallest first; the largest one (half the size) should be first"
        assert not (sizes and sizes[0] == size), (
            "the full size itself has no features: the first level is half the size"
        )
        assert len(got) == 3, f"num_levels=4 are 4 sizes and features at 3 of them; yours gives {len(got)} levels"
        assert sizes == wanted, f"a picture {size} has levels of {wanted} (halved, rounded up); yours are {sizes}"
        for level in got:
            assert level.shape[:2] == (2, 12), (
                f"each level should be (2, 5 + 7, h, w), fine and coarse channels; one of yours is {shape(level)}"
            )


@exercise("FeaturePyramid", points=3, hint="The coarse features of a level come from the fine ones of the size above.")
def test_pyramid_features(lab, seed):
    """fine features of this size, then the coarse ones from the size above, SiLU after each layer"""
    pyramid, picture = new_pyramid(lab, seed), noise(seed, 2, 3, 22, 38, dtype=torch.float64)
    got = levels_of(pyramid, picture)
    fine, coarse = by_the_table(pyramid, picture)
    want = [torch.cat(pair, dim=1) for pair in zip(fine, coarse)]
    if len(got) == 3 and max(off(a, b) for a, b in zip(got, want)) < 1e-6:
        return

    def looks_like(fine, coarse, swap=False):
        pairs = zip(coarse, fine) if swap else zip(fine, coarse)
        return len(got) == 3 and max(off(a, torch.cat(pair, dim=1)) for a, pair in zip(got, pairs)) < 1e-6

    def same(x):
        return x

    def thinned(x):
        return x[..., ::2, ::2]

    def pooled(x):
        return F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)

    assert not looks_like(fine, coarse, swap=True), "the coarse channels come first; the fine ones should"
    assert not looks_like(*by_the_table(pyramid, picture, outer=same)), (
        "SiLU is missing at the end: both layers have one"
    )
    assert not looks_like(*by_the_table(pyramid, picture, outer=same, inner=same)), "SiLU is missing after both layers"
    assert not looks_like(*by_the_table(pyramid, picture, inner=same)), (
        "the coarse layer is given what the fine one made *before* its SiLU"
    )
    assert not looks_like(*by_the_table(pyramid, picture, outer=F.relu, inner=F.relu)), (
        "this is ReLU; SiLU is asked for"
    )
    assert not looks_like(*by_the_table(pyramid, picture, halving=thinned)), (
        "the picture is thinned out without being smoothed: every other pixel is dropped. `halve` smooths first"
    )
    assert not looks_like(*by_the_table(pyramid, picture, halving=pooled)), (
        "the sizes are made by average pooling; use `halve`, as the pictures of every other part are"
    )
    inside = [F.silu(pyramid.fine(picture))]
    for _ in range(3):
        inside.append(halve(inside[-1]))
    assert not (len(got) == 3 and max(off(a[:, :5], b) for a, b in zip(got, inside[1:])) < 1e-6), (
        "the *features* are halved instead of the picture: the fine layer must see the picture at every size"
    )
    for k, (level, f, c) in enumerate(zip(got, fine, coarse)):
        assert off(level[:, :5], f) < 1e-6, (
            f"level {k}: the first 5 channels should be SiLU(fine(the picture at this size))"
        )
        assert off(level[:, 5:], c) < 1e-6, (
            f"level {k}: the last 7 channels should be SiLU(coarse(fine features of the size above))"
        )
    pytest.fail("the features are not those of the table")


@exercise("FeaturePyramid", points=2, hint="Nothing in forward may depend on which level it is.")
def test_pyramid_is_the_same_at_every_scale(lab, seed):
    """a picture of half the size has, one level up, exactly the features of the whole one"""
    pyramid, picture = new_pyramid(lab, seed), noise(seed, 2, 3, 32, 48, dtype=torch.float64)
    whole, half = levels_of(pyramid, picture), levels_of(pyramid, halve(picture))
    assert len(whole) == len(half) == 3, f"with 4 levels there should be features at 3; yours gives {len(whole)}"
    for k in (1, 2):
        assert off(whole[k], half[k - 1]) < 1e-6, (
            f"level {k} of a picture and level {k - 1} of the same picture halved should agree: the same weights "
            "look at "
            "every size"
        )


@exercise("FeaturePyramid", points=1, hint="Only self.fine and self.coarse, which __init__ has made.")
def test_pyramid_learns(lab, seed):
    """gradients reach both layers and the picture; forward makes no weights of its own; samples stay apart"""
    pyramid, picture = new_pyramid(lab, seed), noise(seed, 2, 3, 16, 24, dtype=torch.float64).requires_grad_()
    names = set(pyramid.state_dict())
    got = levels_of(pyramid, picture)
    assert all(level.requires_grad for level in got), "a level carries no gradient: the layers would never learn"
    assert set(pyramid.state_dict()) == names, "forward has added weights to the module: shipped weights would not fit"
    sum(level[1].square().sum() for level in got).backward()
    for name, layer in (("fine", pyramid.fine), ("coarse", pyramid.coarse)):
        assert layer.weight.grad is not None and layer.weight.grad.abs().sum() > 0, f"no gradient reaches self.{name}"
    assert picture.grad[1].abs().sum() > 0 and picture.grad[0].abs().sum() == 0, "the samples of the batch are mixed"


# ---------------------------------------------------------------------------------------------- matching_cost


def at(picture, dx, dy):
    """Oracle: picture[y + dy, x + dx], the border repeated."""
    height, width = picture.shape[-2:]
    rows = (torch.arange(height) + dy).clamp(0, height - 1)
    columns = (torch.arange(width) + dx).clamp(0, width - 1)
    return picture[..., rows[:, None], columns]


def slow_cost(first, last, radius, compare=None, order=None):
    compare = compare or (lambda a, b, dx, dy: (at(a, -dx, -dy) - at(b, dx, dy)).abs().mean(dim=1))
    steps = range(-radius, radius + 1)
    ways = order or [(dx, dy) for dy in steps for dx in steps]
    return torch.stack([compare(first, last, dx, dy) for dx, dy in ways], dim=1)


def costs(lab, first, last, radius):
    said = f"matching_cost(two pictures {shape(first)}, radius={radius})"
    got = attempt(said, lab.matching_cost, first, last, radius)
    assert torch.is_tensor(got), f"{said} should give a tensor; yours gives {type(got).__name__}"
    want = (len(first), (2 * radius + 1) ** 2, *first.shape[-2:])
    assert got.shape == want, (
        f"{said} should be {want}, one channel for each of {2 * radius + 1} x {2 * radius + 1} motions; yours is "
        f"{shape(got)}"
    )
    return got


@exercise(
    "matching_cost", points=3, hint="The first picture is read at (x - dx, y - dy), the last at (x + dx, y + dy)."
)
def test_cost_finds_the_motion(lab, seed):
    """something that moves by (2, -4) in all costs nothing in the channel of (1, -2), and something everywhere else"""
    canvas = noise(seed, 2, 3, 40, 52)
    middle = (..., slice(7, -7), slice(7, -7))

    def view(dx, dy):
        return canvas[..., 8 - dy : 32 - dy, 8 - dx : 44 - dx]  # what was at (x, y) is now at (x + dx, y + dy)

    first, last = view(-1, 2), view(1, -2)  # midway it is at (0, 0)
    got = costs(lab, first, last, 3)[middle].mean(dim=(0, 2, 3))  # (49,)
    best = int(got.argmin())
    dy, dx = best // 7 - 3, best % 7 - 3
    messages = {
        (
            -1,
            2,
        ): "the motion is found mirrored, as (-1, 2): read the first picture at minus and the last at plus (dx, dy)",
        (-2, 1): "rows and columns are exchanged: dy is the outer loop (slow), dx the inner one (fast)",
        (2, -1): "the motion is found mirrored, and rows and columns are exchanged",
    }
    if got[best] < 1e-4 and (dx, dy) == (1, -2):
        others = torch.cat([got[:best], got[best + 1 :]])
        assert others.min() > 0.05, "another motion costs nothing as well: each channel has a motion of its own"
        return
    assert (dx, dy) not in messages or got[best] > 1e-4, messages.get((dx, dy))
    swapped = int(got.reshape(7, 7).T.reshape(-1).argmin())
    both_swapped = got[best] < 1e-4 and (swapped % 7 - 3, swapped // 7 - 3) == (1, -2)
    assert not both_swapped, "rows and columns are exchanged: dy is the outer loop (slow), dx the inner one (fast)"
    alone = costs(lab, view(0, 0), view(1, -2), 3)[middle].mean(dim=(0, 2, 3))
    alone_first = costs(lab, view(-1, 2), view(0, 0), 3)[middle].mean(dim=(0, 2, 3))
    for values in (alone, alone_first):
        assert not (values.min() < 1e-4 and int(values.argmin()) in (1 * 7 + 4, 5 * 7 + 2)), (
            "only one of the two pictures is moved: the pixel is midway, so the first is read at minus (dx, dy) and "
            "the "
            "last at plus"
        )
    pytest.fail(
        "a motion of (2, -4) in all is (1, -2) to either side: the cheapest channel should be that one, with cost "
        "0. Yours "
        f"is ({dx}, {dy}) with {got[best]:.2f}"
    )


@exercise("matching_cost", points=2, hint="(there - here).abs().mean(dim=1)")
def test_cost_values(lab, seed):
    """the mean absolute difference over the channels, each channel's own motion"""
    first, last = noise(seed, 2, 5, 9, 12), noise(seed + 1, 2, 5, 9, 12)
    got, want = costs(lab, first, last, 2), slow_cost(first, last, 2)
    inner = (..., slice(2, -2), slice(2, -2))
    if off(got[inner], want[inner]) < 1e-5:
        return

    def of(compare):
        return slow_cost(first, last, 2, lambda a, b, dx, dy: compare(at(a, -dx, -dy) - at(b, dx, dy)))[inner]

    known = (
        (of(lambda d: d.square().mean(dim=1)), "these are squares; the mean *absolute* difference is asked for"),
        (of(lambda d: d.abs().sum(dim=1)), "this is the sum over the channels; the mean is asked for"),
        (of(lambda d: d.mean(dim=1)), "without the absolute value differences cancel, and a bad match looks good"),
        (of(lambda d: d.mean(dim=1).abs()), "the absolute value comes after the mean over the channels: before it, or "
         "differences of opposite sign cancel"),
        (of(lambda d: d.square().mean(dim=1).sqrt()), "this is the root of the mean square; the mean absolute error "
         "is asked for"),
        (of(lambda d: d.square().sum(dim=1).sqrt()), "this is the length of the difference; the mean absolute one "
         "is asked for"),
        (slow_cost(first, last, 2, lambda a, b, dx, dy: (at(a, -dx, -dy) * at(b, dx, dy)).mean(dim=1))[inner],
         "this is a product (a correlation): large where pictures match. A cost is small there"),
        (slow_cost(first, last, 2, lambda a, b, dx, dy: -(at(a, -dx, -dy) - at(b, dx, dy)).abs().mean(dim=1))[inner],
         "the sign is turned: a cost is small, not large, where the pictures match"),
    )  # fmt: skip
    for values, message in known:
        assert off(got[inner], values) > 1e-5, message
    steps = range(-2, 3)
    known = (
        (slow_cost(first, last, 2, order=[(dx, dy) for dx in steps for dy in steps])[inner],
         "rows and columns are exchanged: dy is the outer loop (slow), dx the inner one (fast)"),
        (slow_cost(last, first, 2)[inner], "the motion is found mirrored: read the first picture at minus (dx, dy)"),
        (slow_cost(first, last, 2, lambda a, b, dx, dy: (a - at(b, dx, dy)).abs().mean(dim=1))[inner],
         "only one of the two pictures is moved: the pixel is midway"),
    )  # fmt: skip
    for values, message in known:
        assert off(got[inner], values) > 1e-5, message
    pytest.fail(f"away from the border yours is off by up to {off(got[inner], want[inner]):.3f}")


@exercise("matching_cost", points=2, hint='F.pad(picture, (radius,) * 4, mode="replicate")')
def test_cost_border(lab, seed):
    """outside a picture the nearest pixel of its border counts"""
    first, last = noise(seed, 2, 3, 6, 8) + 2, noise(seed + 1, 2, 3, 6, 8) + 2
    got, want = costs(lab, first, last, 2), slow_cost(first, last, 2)

    def wrapped(a, b, dx, dy):
        return (a.roll((dy, dx), (2, 3)) - b.roll((-dy, -dx), (2, 3))).abs().mean(dim=1)

    def black(a, b, dx, dy):
        a, b = F.pad(a, (2, 2, 2, 2)), F.pad(b, (2, 2, 2, 2))
        return (a[..., 2 - dy : 8 - dy, 2 - dx : 10 - dx] - b[..., 2 + dy : 8 + dy, 2 + dx : 10 + dx]).abs().mean(dim=1)

    assert off(got, slow_cost(first, last, 2, wrapped)) > 1e-4, (
        "what leaves on one side comes in on the other (roll): outside, the nearest pixel of the border counts"
    )
    assert off(got, slow_cost(first, last, 2, black)) > 1e-4, (
        "outside the pictures yours sees black (zero): the nearest pixel of the border counts"
    )
    assert off(got, want) < 1e-4, "at the border yours differs: outside, the nearest pixel of the border counts"


@exercise("matching_cost", points=1, hint="No numpy, no .detach(), nothing written into the inputs.")
def test_cost_learns(lab, seed):
    """differentiable in both, samples kept apart, inputs left alone, radius 0 allowed"""
    first, last = (noise(seed + k, 2, 4, 7, 9).requires_grad_() for k in (0, 1))
    kept = first.detach().clone(), last.detach().clone()
    got = costs(lab, first, last, 1)
    assert got.requires_grad, "the costs carry no gradient: features could not be learned"
    got[1].square().sum().backward()
    assert torch.equal(first, kept[0]) and torch.equal(last, kept[1]), "matching_cost changed the pictures it was given"
    for name, x in (("first", first), ("last", last)):
        assert x.grad is not None and x.grad[1].abs().sum() > 0, f"no gradient reaches `{name}`"
        assert x.grad[0].abs().sum() == 0, f"sample 1 of the costs depends on sample 0 of `{name}`"
    zero = costs(lab, first.detach(), last.detach(), 0)
    assert off(zero, (kept[0] - kept[1]).abs().mean(dim=1, keepdim=True)) < 1e-5, (
        "radius 0 is one channel: no motion at all"
    )
    assert costs(lab, kept[0].double(), kept[1].double(), 1).dtype == torch.float64, "float64 pictures lost precision"


@exercise("matching_cost", points=1, hint="if radius < 0: raise ValueError(...); the same for shapes that differ.")
def test_cost_refuses_nonsense(lab):
    """a negative radius, or pictures that differ in shape, are a ValueError that names it"""
    a = torch.zeros(2, 3, 6, 9)
    refuses("matching_cost with radius=-1", -1, lab.matching_cost, a, a, -1)
    refuses("matching_cost of (2, 3, 6, 9) and (2, 3, 6, 8)", "2, 3, 6, 8", lab.matching_cost, a, a[..., :8], 1)
    refuses("matching_cost of (2, 3, 6, 9) and (1, 3, 6, 9)", "1, 3, 6, 9", lab.matching_cost, a, a[:1], 1)


# ---------------------------------------------------------------------------------------------- Interpolator


class Recorder(nn.Module):
    """In the place of the motion step: writes down what it is given, adds a known correction, counts in `hidden`."""

    def __init__(self, correction):
        super().__init__()
        self.correction, self.calls = torch.tensor(correction).reshape(1, 4, 1, 1), []

    def forward(self, before, after, cost, flows, hidden):
        self.calls.append((before, after, cost, flows, hidden))
        return flows + self.correction, hidden + 1


def recorded(lab, seed, correction=(1.0, 0.0, -1.0, 0.0), size=(24, 40), num_levels=4):
    """A model with a recorder, the pictures it was given, and what find_motion returned."""
    torch.manual_seed(seed)
    said = "Interpolator(feature_channels=[4, 6], hidden_channels=5, radius=1)"
    model = attempt(said, lambda: lab.Interpolator([4, 6], 5, num_levels, 1))
    model.motion = Recorder(correction)
    first, last = noise(seed, 2, 3, *size), noise(seed + 1, 2, 3, *size)
    with torch.no_grad():
        got = attempt(f"find_motion of two pictures {shape(first)}", model.find_motion, first, last)
    assert isinstance(got, (tuple, list)) and len(got) == 2, (
        f"find_motion gives the flows and the hidden state, two tensors; yours gives {type(got).__name__}"
    )
    return model, first, last, got


@exercise(
    "Interpolator",
    points=2,
    needs=("FeaturePyramid", "matching_cost"),
    hint="for before, after in reversed(levels): ...",
)
def test_motion_levels(lab, seed):
    """one step at each level of the pyramid, the smallest first, which begins with zeros"""
    model, *_, got = recorded(lab, seed)
    sizes = [tuple(call[0].shape[-2:]) for call in model.motion.calls]
    assert sizes != [(12, 20), (6, 10), (3, 5)], "the levels run from fine to coarse: begin with the smallest"
    assert sizes == [(3, 5), (6, 10), (12, 20)], (
        f"with 4 levels self.motion should be called at (3, 5), (6, 10) and (12, 20), in this order; yours: {sizes}"
    )
    before, _, cost, flows, hidden = model.motion.calls[0]
    assert shape(flows) == (2, 4, 3, 5) and not flows.any(), (
        "at the smallest level the flows begin as zeros (2, 4, 3, 5)"
    )
    assert shape(hidden) == (2, 5, 3, 5) and not hidden.any(), (
        f"at the smallest level the hidden state begins as zeros (2, 5, 3, 5); yours is {shape(hidden)}"
    )
    assert shape(before) == (2, 10, 3, 5) and shape(cost) == (2, 9, 3, 5), (
        f"self.motion takes features (2, 10, h, w) and costs (2, 9, h, w); yours are {shape(before)} and {shape(cost)}"
    )
    assert shape(got[0]) == (2, 4, 12, 20), (
        f"the flows should be (2, 4, 12, 20), at half the size; yours: {shape(got[0])}"
    )


@exercise(
    "Interpolator",
    points=3,
    needs=("FeaturePyramid", "matching_cost"),
    hint="flows = enlarged(flows, size) before each step; motion corrects them.",
)
def test_motion_grows(lab, seed):
    """a correction of 1 pixel at each of three levels makes 1, then 2 + 1, then 6 + 1"""
    model, *_, got = recorded(lab, seed)
    starts = [call[3][:, 0].mean().item() for call in model.motion.calls]
    end = got[0][:, 0].mean().item()
    known = {
        (0, 1, 2, 3): "the flows were resized, but their vectors not made longer: use `enlarged`, not F.interpolate",
        (0, 0, 0, 1): "every level starts from zero: carry the flows on from the level below",
        (0, 2, 10, 21): "self.motion returns the flows, corrected: they are not to be added to the flows again",
        (0, 2, 6, 14): "the flows are enlarged once too often: what is returned is at the size of the last level",
        (0, 4, 20, 21): "the flows are made longer twice: `enlarged` does it already",
    }
    found = (*(round(start) for start in starts), round(end))
    assert found == (0, 2, 6, 7) or found not in known, known.get(found)
    assert found == (0, 2, 6, 7), (
        "with a correction of 1 pixel at each level the x of the flow to the first picture should be 0, 2 and 6 "
        "before the "
        f"three steps, and 7 at the end; yours is {', '.join(map(str, found))}"
    )
    assert abs(got[0][:, 2].mean() + 7) < 1e-3, (
        "the flow to the last picture should be -7 at the end: all four channels grow"
    )


@exercise(
    "Interpolator",
    points=2,
    needs=("FeaturePyramid", "matching_cost"),
    hint='F.interpolate(hidden, size=size, mode="bilinear"), not enlarged.',
)
def test_motion_memory(lab, seed):
    """the hidden state is carried up, resized and otherwise as it was"""
    model, *_, got = recorded(lab, seed)
    means = [call[4].mean().item() for call in model.motion.calls] + [got[1].mean().item()]
    assert shape(got[1]) == (2, 5, 12, 20), (
        f"the hidden state should come back as (2, 5, 12, 20); yours: {shape(got[1])}"
    )
    found = tuple(round(mean) for mean in means)
    known = {
        (0, 0, 0, 1): "the hidden state starts anew at each level: carry it on from the level below",
        (0, 2, 6, 7): "the hidden state is made longer as if it were a motion: it is only resized",
    }
    assert found not in known, known.get(found)
    assert found == (0, 1, 2, 3), (
        "the recorder adds 1 to the hidden state at each level: 0, 1, 2 and 3 at the end. Yours: "
        f"{', '.join(map(str, found))}"
    )


@exercise(
    "Interpolator",
    points=3,
    needs=("FeaturePyramid", "matching_cost"),
    hint="before = warp(before, flows[:, :2]), after = warp(after, flows[:, 2:])",
)
def test_motion_meets_midway(lab, seed):
    """at each level both features are warped to the middle, each by its own flow, and then compared"""
    model, first, last, _ = recorded(lab, seed, correction=(0.7, -0.4, -0.3, 0.9))
    with torch.no_grad():
        levels = list(zip(model.pyramid(first), model.pyramid(last)))[::-1]
    for k, ((a, b), (before, after, cost, flows, _)) in enumerate(zip(levels, model.motion.calls)):
        if k:
            assert off(before, a) > 1e-4, "the features are not warped: bring both to the middle by the flows so far"
            assert off(before, warp(a, flows[:, 2:])) > 1e-4, (
                "the flows are crossed: the first two channels lead to the first picture and warp its features"
            )
            assert off(before, warp(a, -flows[:, :2])) > 1e-4, "the first picture's features are warped the wrong way"
        assert off(before, warp(a, flows[:, :2])) < 1e-4, (
            f"step {k}: `before` should be the first picture's features of this level, warped by flows[:, :2]"
        )
        assert off(after, warp(b, flows[:, :2])) > 1e-4 or not k, (
            "both pictures are warped by the flow to the first: the last one belongs to flows[:, 2:]"
        )
        assert off(after, warp(b, flows[:, 2:])) < 1e-4, (
            f"step {k}: `after` should be the last picture's features of this level, warped by flows[:, 2:]"
        )
        assert off(cost, slow_cost(a, b, 1)) > 1e-4 or not k, (
            "the costs compare the features *before* they are warped: what is to be found is what the flows still miss"
        )
        assert off(cost, slow_cost(after, before, 1)) > 1e-4, (
            "matching_cost was given the last picture before the first"
        )
        assert off(cost, slow_cost(before, after, 1)) < 1e-4, (
            f"step {k}: the costs should be matching_cost of both warped features, with the model's radius"
        )


@exercise(
    "Interpolator",
    points=1,
    needs=("FeaturePyramid", "matching_cost"),
    hint="num_levels and radius are in self.config; nothing else is fixed.",
)
def test_motion_of_other_sizes(lab, seed):
    """two levels or five, other sizes, float64: the loop takes them from the pyramid"""
    for num_levels, size in ((2, (12, 22)), (5, (48, 80))):
        model, *_, got = recorded(lab, seed, size=size, num_levels=num_levels)
        assert len(model.motion.calls) == num_levels - 1, (
            f"with num_levels={num_levels} there are {num_levels - 1} steps; yours takes {len(model.motion.calls)}"
        )
        assert shape(got[0]) == (2, 4, size[0] // 2, size[1] // 2), "the flows should be at half the size"
    torch.manual_seed(seed)
    double = lab.Interpolator([4, 6], 5, 3, 1).double()
    flows, _ = attempt("find_motion in float64", double.find_motion, *noise(seed, 2, 1, 3, 16, 24, dtype=torch.float64))
    assert flows.dtype == torch.float64, (
        "a model in float64 should give flows in float64: make the zeros like the features"
    )


@exercise(
    "Interpolator",
    points=2,
    needs=("FeaturePyramid", "matching_cost", "fuse"),
    hint="If all other tests hold, this one does.",
)
def test_outcome(lab, seed):
    """trained for a moment, your parts together follow a sliding texture where a motionless network cannot"""
    reached = attempt("training an Interpolator of your parts", trained_gain, lab.Interpolator, seed)
    assert reached >= THRESHOLD, (
        f"after {TRAINING['steps']} steps the middle should be at least {THRESHOLD:.1f} dB closer to the truth than "
        f"the mean of both is; with your parts it is {reached:.1f} dB"
    )


TRAINING = {"steps": 8, "batch_size": 4, "learning_rate": 1e-2}
THRESHOLD = 3.0  # dB; calibrate_02_frame_interpolation.py measures what lies on either side


def textures(seed, count, size=32):
    """First, middle and last of textures that slide evenly, `(count, 3, size, size)` each."""
    generator = torch.Generator().manual_seed(seed)
    canvas = torch.rand(count, 3, (size + 16) // 4, (size + 16) // 4, generator=generator) * 2 - 1
    canvas = F.interpolate(canvas, scale_factor=4, mode="bicubic").clamp(-1, 1)
    pans, pictures = torch.randint(-4, 5, (count, 2), generator=generator), []
    for k in (-1, 0, 1):
        places = [(8 + k * dy, 8 + k * dx) for dy, dx in pans.tolist()]
        pictures.append(torch.stack([c[:, y : y + size, x : x + size] for c, (y, x) in zip(canvas, places)]))
    return pictures


def trained_gain(kind, seed):
    """Train a small model; how much closer to the truth it is than the mean of both pictures, dB over all pixels."""
    from common.training import Muon

    torch.manual_seed(seed)
    model = kind([6, 10], 12, 3, 1)
    ends = [p for name, p in model.named_parameters() if p.ndim == 1 or "_out" in name]
    matrices = [p for name, p in model.named_parameters() if p.ndim > 1 and "_out" not in name]
    optimizer = Muon(matrices, ends, lr=TRAINING["learning_rate"])
    for step in range(TRAINING["steps"]):
        first, middle, last = textures(1000 * seed + step, TRAINING["batch_size"])
        parts = model.explain(first, last)
        loss = sum((parts[name] - middle).abs().mean() for name in ("middle", "warped_first", "warped_last"))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    first, middle, last = textures(999_983 + seed, 12)
    with torch.no_grad():
        errors = [(p - middle).square().mean() for p in ((first + last) / 2, model(first, last))]
    return float(10 * torch.log10(errors[0] / errors[1]))
