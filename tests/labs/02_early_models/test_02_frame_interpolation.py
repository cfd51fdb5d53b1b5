"""Grader of lab 02.2. Its oracles are a loop over motions, the model's own layers, and a step of one known formula.

The library's parts of this lab are off limits while this file runs; `warp` and `halve` are not parts of it.
"""

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from common.course.graders import Call, attempt, each, judge, outcomes, record, tensor, theorems, values
from common.data.between_scenes import sliding_textures
from common.flow import halve, warp
from common.training import Muon

exercise = pytest.mark.exercise
FAINT = 1e-3


PICTURES = {"first": "b c h w", "last": "b c h w"}
brought = Call("warp_to_time", takes=PICTURES | {"forward": "b 2 h w", "backward": "b 2 h w"},
               gives=record("tuple", first=tensor("b c h w", "same"), last=tensor("b c h w", "same")))  # fmt: skip


def shares(t):
    """How much of F(0 -> 1) and of F(1 -> 0) is in the flow to the first picture, then in that to the last."""
    return -(1 - t) * t, t**2, (1 - t) ** 2, -t * (1 - t)


def both(first, last, forward, backward, time=0.5, shares=shares, order=1):
    """Oracle; and, with other shares, ways to do it wrong."""
    a, b, c, d = shares(time)
    forward, backward = forward.double(), backward.double()
    found = warp(first.double(), a * forward + b * backward), warp(last.double(), c * forward + d * backward)
    return found[::order]


FLOWS_WRONG = {
    "the two results are in the wrong order: the first picture comes first": partial(both, order=-1),
    "time runs backwards: near time 0 the first picture moves little": partial(both, shares=lambda t: shares(1 - t)),
    "it warps to the middle, whatever `time` is": partial(both, shares=lambda t: shares(0.5)),
    "the flows are crossed, first and last": partial(both, shares=lambda t: (*shares(t)[2:], *shares(t)[:2])),
    "only `forward` is used. Both flows are mixed": partial(both, shares=lambda t: (-t, 0, 1 - t, 0)),
    "each picture is warped by one flow alone. Mix both": partial(both, shares=lambda t: (0, t, 1 - t, 0)),
}


def ends(seed, batch=2, channels=3, height=9, width=14):
    """Two pictures, and two flows that disagree."""
    sizes = (channels, channels, 2, 2)
    return [values.noise(seed + k, batch, c, height, width, scale=1 + k) for k, c in enumerate(sizes)]


@exercise("warp_to_time", points=6, hint="-(1 - t) t and t^2 for the first; (1 - t)^2 and -t (1 - t) for the last.")
def test_warp(lab, seed, look):
    """each picture is warped by the flow that leads to it, a mix of both flows in which the nearer end counts more"""
    first, last, *_ = ends(seed, height=12, width=20)
    there = torch.tensor([8.0, -4.0]).reshape(1, 2, 1, 1).expand(2, 2, 12, 20)
    rows = [(first, last, there, -there, time) for time in (0.25, 0.7, 0.0, 1)] + [(first, last, there, -there)]
    look(target=both(*rows[0])[0].transpose(0, 1), yours=brought(lab, *rows[0])["first"].value.transpose(0, 1))
    because = "with a motion of (8, -4) and time t, the first is fetched from -t (8, -4), the last from (1 - t) (8, -4)"
    brought.table(lab, rows, both, FLOWS_WRONG, because=because, tolerance=1e-4)
    rows = [(*ends(seed), 0.3), (*ends(seed + 4, 1, 5, 6, 8), 0.8), (*ends(seed), 0), (*ends(seed), 1.0), ends(seed)]
    because = "the flows are those of the formula, and each picture is warped by the one that leads to it"
    brought.table(lab, rows, both, FLOWS_WRONG, because=because, tolerance=1e-4)


@exercise("warp_to_time", points=2, hint="Nothing is detached or rounded; if not 0 <= time <= 1: raise ValueError(…).")
def test_warp_owes(lab, seed):
    """gradients in float64 too, samples apart, any memory layout; a wrong time or unequal shapes are a ValueError"""
    inputs = dict(zip(("first", "last", "forward", "backward"), ends(seed)))
    theorems.gradient_is_whole("warp_to_time(…, time=0.4)", lambda **i: brought(lab, *i.values(), 0.4).value,
                               inputs, step=1e-7, tolerance=1e-4)  # fmt: skip
    theorems.owes(brought, lab, *ends(seed), 0.4, dtypes=(torch.float64,), tolerance=1e-4)
    theorems.batch_is_samples(brought, lab, *ends(seed, 3), 0.4)
    a, flow = torch.zeros(2, 3, 6, 9), torch.zeros(2, 2, 6, 9)
    for time in (1.5, -0.25, 1.001):
        brought.refuses(lab, a, a, flow, flow, time)
    for other in (a[:, :1], a[:1], a[..., :8], a[0]):
        brought.refuses(lab, a, other, flow, flow)
        brought.refuses(lab, other, a, flow, flow, 0.3)


fused = Call("fuse", gives=tensor("b c h w", "same", finite=False),
             takes={"warped_first": "b c h w", "warped_last": "b c h w", "visible_first": "b 1 h w",
                    "visible_last": "b 1 h w"})  # fmt: skip


def weighted(a, b, seen_a, seen_b, time=0.5):
    """Oracle."""
    a, b, seen_a, seen_b = (x.double() for x in (a, b, seen_a, seen_b))
    weight_a, weight_b = (1 - time) * (seen_a + FAINT), time * (seen_b + FAINT)
    return (weight_a * a + weight_b * b) / (weight_a + weight_b)


FUSED_WRONG = {
    "the masks are crossed: each picture is weighted by its own mask": lambda a, b, u, v, *t: weighted(a, b, v, u, *t),
    "the masks are read as what is hidden. They say what is visible": (
        lambda a, b, u, v, *t: weighted(a, b, 1 - u.double(), 1 - v.double(), *t)
    ),
    "the masks change nothing: that is the mean by time": lambda a, b, u, v, *t: weighted(a, b, *[1 + 0 * u] * 2, *t),
    "time runs backwards: the first picture has the share 1 - t": lambda a, b, u, v, t=0.5: weighted(a, b, u, v, 1 - t),
}  # fmt: skip


def sides(seed, batch=2, channels=3, height=7, width=10):
    """Two pictures beyond [-1, 1], and two masks."""
    pictures = [values.noise(seed + k, batch, channels, height, width, scale=2) for k in (0, 1)]
    return *pictures, *(values.uniform(seed + k, batch, 1, height, width, low=0) for k in (2, 3))


@exercise("fuse", points=6, hint="The weight of a side is its share by time, times (how visible it is + FAINT).")
def test_fuse_formula(lab, seed, look):
    """the weighted mean of each pixel: any mask, any time, any pictures; the mean by time where no side sees a pixel"""
    hidden = torch.zeros(2, 1, 7, 10)
    hidden[..., :5] = 1.0
    row = *sides(seed)[:2], 1 - hidden, hidden, 0.25
    look(target=weighted(*row).transpose(0, 1), yours=fused(lab, *row).value.transpose(0, 1))
    rows = [row, (*sides(seed), 0.2), (*sides(seed + 4, 3, 4, 5, 2), 0.7), sides(seed), (*sides(seed), 0),
            (*sides(seed), 1.0)]  # fmt: skip
    because = "each pixel is (w0 first + w1 last) / (w0 + w1), with w0 = (1 - t) (V0 + FAINT) and w1 = t (V1 + FAINT)"
    fused.table(lab, rows, weighted, FUSED_WRONG, because=because)
    a, b, seen, _ = sides(seed)
    masks = 0 * seen, 0 * seen + 1, seen, torch.full_like(seen, 0.4)
    rows = [(a, b, equal, equal, time) for equal in masks for time in (0.25, 0.8, 0.0)]
    because = "where both masks say the same, it is 1 - t of the first picture and t of the last"
    fused.table(lab, rows, weighted, FUSED_WRONG, because=because)


@exercise("fuse", points=2, hint="A mask is visible_first.to(warped_first.dtype). Compare its shape, raise ValueError.")
def test_fuse_owes(lab, seed):
    """bool masks, dtypes, gradients, samples apart; a wrong time, mask or pair of pictures is a ValueError"""
    a, b, seen_a, seen_b = sides(seed)
    for masks in ((seen_a > 0.5, seen_b > 0.5), (seen_a > 0.5, seen_b), (seen_a.double(), seen_b.half())):
        for dtype in (torch.float32, torch.float64):
            row = a.to(dtype), b.to(dtype), *masks, 0.3
            fused.table(lab, [row], weighted, because="a mask may be bool, or float of any precision")
    inputs = {"warped_first": a, "warped_last": b, "visible_first": seen_a, "visible_last": seen_b}
    theorems.gradient_is_whole("fuse(…, time=0.3)", lambda **i: [fused(lab, *i.values(), 0.3).value], inputs, step=1e-6)
    theorems.owes(fused, lab, *sides(seed, 3), 0.3, dtypes=(torch.float64, torch.bfloat16), meta=True)
    theorems.batch_is_samples(fused, lab, *sides(seed, 3), 0.3)
    a, seen = torch.zeros(2, 3, 6, 9), torch.ones(2, 1, 6, 9)
    for time in (-1, 1.5, -0.01):
        fused.refuses(lab, a, a, seen, seen, time)
    for mask in (seen[:, 0], seen[:1], seen.expand(-1, 3, -1, -1), seen[..., :1], seen[0, 0, 0, 0]):
        fused.refuses(lab, a, a, mask, seen)
        fused.refuses(lab, a, a, seen, mask)
    for other in (a[..., :8], a[:, :1], a[:1]):
        fused.refuses(lab, a, other, seen, seen)
        fused.refuses(lab, other, a, seen, seen)


levels = Call("pyramid", takes={"picture": "b c h w"}, gives=each(tensor(None, "same")), parameters=("picture",))


def made_pyramid(lab, seed, channels=(5, 7), num_levels=4):
    torch.manual_seed(seed)
    said = f"FeaturePyramid({list(channels)}, {num_levels})"
    return attempt(said, lab.FeaturePyramid, list(channels), num_levels).double()


def features(net, picture, halving=halve, inner=F.silu, order=1):
    """Oracle: picture to levels, with the pyramid's own two layers; and ways to do it wrong."""
    sizes = [picture]
    for _ in range(net.num_levels - 1):
        sizes.append(halving(sizes[-1]))
    fine = [net.fine(size) for size in sizes]
    coarse = [F.silu(net.coarse(inner(f))) for f in fine[:-1]]
    return [torch.cat((F.silu(f), c)[::order], dim=1) for f, c in zip(fine[1:], coarse)]


@exercise("FeaturePyramid", points=6, hint="The coarse features of a level come from the fine ones of the size above.")
def test_pyramid_features(lab, seed, look):
    """fine features, then the coarse ones from the size above, SiLU after each; the largest level first, any number"""
    net, pictures = made_pyramid(lab, seed), [values.noise(seed, 2, 3, *size).double() for size in ((22, 38), (32, 49))]
    truth = partial(features, net)
    for picture in pictures:
        got, want = ([tuple(level.shape) for level in found] for found in (levels(net, picture).value, truth(picture)))
        judge(f"the shapes of pyramid(picture {tuple(picture.shape)}) with num_levels=4", got, want, {
            "the levels come smallest first. The largest one (half the size) comes first": want[::-1],
            "the full size itself has no features": [(2, 12, *picture.shape[-2:]), *want],
        }, because="4 sizes, and all but the full one have features")  # fmt: skip
    pooling = partial(F.avg_pool2d, kernel_size=2, ceil_mode=True, count_include_pad=False)
    mistakes = {
        "the coarse channels come first. The fine ones do": partial(truth, order=-1),
        "the coarse layer reads what the fine one made before its SiLU": partial(truth, inner=lambda x: x),
        "the sizes are made by average pooling. Use `halve`": partial(truth, halving=pooling),
    }
    because = "a level is SiLU(fine(the picture at this size)), then SiLU(coarse(fine features of the size above))"
    answers = levels.table(net, [(picture,) for picture in pictures], truth, mistakes, because=because)
    want, got = (level[:1, :3].transpose(0, 1).detach() for level in (truth(pictures[0])[0], answers[0].value[0]))
    look(target=want.float(), yours=got.float())
    for channels, num_levels, size in (((4, 3), 2, (21, 37)), ((2, 6), 5, (48, 33)), ((3, 3), 3, (6, 10))):
        net, picture = made_pyramid(lab, seed, channels, num_levels), values.noise(seed, 1, 3, *size).double()
        because = f"with num_levels={num_levels} there are {num_levels} sizes, each half the one before, rounded up"
        levels.table(net, [(picture,)], partial(features, net), because=because)


@exercise("FeaturePyramid", points=2, hint="Only self.fine and self.coarse, which __init__ has made.")
def test_pyramid_owes(lab, seed):
    """gradients reach both layers and the picture; no weights are added; samples do not mix"""
    net, picture = made_pyramid(lab, seed), values.noise(seed, 3, 3, 17, 24).double()
    names = list(net.state_dict())
    theorems.gradient_is_whole("pyramid(picture)", lambda picture: levels(net, picture).value, {"picture": picture})
    theorems.batch_is_samples(levels, net, picture)
    theorems.owes(levels, net, picture, other=[picture[:1, :, :9, :8]])
    assert list(net.state_dict()) == names, "a call adds weights to the module: shipped weights would not fit"
    for k, level in enumerate(levels(net, picture).value):
        theorems.learns(f"level {k} of pyramid(picture)", level, dict(net.named_parameters()))
    levels(net.float(), picture.float())


cost = Call("matching_cost", takes=PICTURES, gives=tensor("b n h w", "same"),
            sizes=lambda given: {"n": (2 * given["radius"] + 1) ** 2} if "radius" in given else {})  # fmt: skip


def at(picture, dx, dy, black=False):
    """picture[y + dy, x + dx]; outside, the nearest pixel of its border, or black."""
    height, width = picture.shape[-2:]
    rows, columns = torch.arange(height)[:, None] + dy, torch.arange(width) + dx
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    return picture[..., rows.clamp(0, height - 1), columns.clamp(0, width - 1)] * (inside if black else 1)


def compared(first, last, radius, measure=lambda d: d.abs().mean(dim=1), sign=1, alone=False, black=False):
    """Oracle: motion after motion; and ways to do it wrong."""
    first, last, steps = first.double(), last.double(), [sign * k for k in range(-radius, radius + 1)]
    pairs = [(first if alone else at(first, -x, -y, black), at(last, x, y, black)) for y in steps for x in steps]
    return torch.stack([measure(a - b) for a, b in pairs], dim=1)


COST_WRONG = {
    "signs cancel: take absolute values before the mean": partial(compared, measure=lambda d: d.mean(dim=1).abs()),
    "motions are mirrored: the first is read at minus (dx, dy), the last one at plus": partial(compared, sign=-1),
    "only the last picture is shifted. The pixel is midway, so both are": partial(compared, alone=True),
    "outside the pictures it reads black (zero). The nearest pixel of the border counts": partial(compared, black=True),
}


@exercise("matching_cost", points=7, hint="The first is read at (x - dx, y - dy), the last at (x + dx, y + dy).")
def test_cost_values(lab, seed, look):
    """the mean absolute difference over channels at each motion, any sizes; outside, the border's pixel counts"""
    canvas = values.uniform(seed, 2, 3, 34, 42)  # it moves by (1, -2) to either side
    slides = canvas[..., 6:30, 5:37], canvas[..., 10:34, 3:35], 3
    because = "at (dx, dy) it is the mean over channels of |first[y - dy, x - dx] - last[y + dy, x + dx]|"
    answers = cost.table(lab, [slides], compared, COST_WRONG, because=because)
    got, want = (x[..., 7:-7, 7:-7].mean(dim=(0, 2, 3)) for x in (answers[0].value, compared(*slides)))
    look(target=want, yours=got)
    sizes = (2, 5, 9, 12, 2), (3, 4, 6, 8, 1), (1, 2, 7, 5, 3), (2, 3, 4, 6, 0), (2, 3, 1, 4, 2), (2, 3, 3, 1, 1)
    rows = [(values.noise(seed, *size) + 2, values.noise(seed + 1, *size) + 2, radius) for *size, radius in sizes]
    because = "channel (dy + radius) (2 radius + 1) + dx + radius is (dx, dy); outside, the nearest border pixel counts"
    cost.table(lab, rows, compared, COST_WRONG, because=because)


@exercise("matching_cost", points=2, hint="Nothing is detached; if radius < 0 or the shapes differ, raise ValueError.")
def test_cost_owes(lab, seed):
    """gradients in float64 too, samples apart, any memory layout; a wrong radius or unequal shapes are a ValueError"""
    apart = values.distinct(seed, 3, 4, 5, 7), values.distinct(seed + 1, 3, 4, 5, 7) + 0.5  # no difference is zero
    theorems.gradient_is_whole("matching_cost(first, last, 2)", lambda first, last: [cost(lab, first, last, 2).value],
                               dict(zip(PICTURES, apart)))  # fmt: skip
    theorems.owes(cost, lab, *apart, 1, dtypes=(torch.float64,), meta=True)
    theorems.batch_is_samples(cost, lab, *apart, 1)
    a = torch.zeros(2, 3, 6, 9)
    for radius in (-1, -3):
        cost.refuses(lab, a, a, radius)
    for other in (a[..., :8], a[:1], a[:, :1], a[0]):
        cost.refuses(lab, a, other, 1)
        cost.refuses(lab, other, a, 0)
    cost.refuses(lab, a[0], a[0], 1)
    cost.refuses(lab, a[None], a[None], 1)


found = Call(
    "find_motion", takes=PICTURES, gives=record("tuple", flows=tensor(None, "same"), hidden=tensor(None, "same"))
)
needs = ("FeaturePyramid", "matching_cost")
everything = ("FeaturePyramid", "matching_cost", "fuse")
STEP = ("before", "after", "cost", "flows", "hidden")


class Step(torch.nn.Module):
    """In the place of the motion step: a known formula of all that it is given, which it writes down."""

    def __init__(self, hidden_channels):
        super().__init__()
        self.shift, self.calls = torch.nn.Parameter(torch.tensor([0.7, -0.4, -0.3, 0.9])), []
        self.hidden_channels = hidden_channels

    def forward(self, before, after, cost, flows, hidden):
        self.calls.append((before, after, cost, flows, hidden))
        seen = (before - 2 * after)[:, : self.hidden_channels]
        return flows + self.shift[:, None, None] + 0.3 * (cost[:, :4] - cost[:, 4:8]), hidden + 1 + seen


def longer(flows, size):
    """Flows at another size, their vectors made longer by as much."""
    times = flows.new_tensor([size[1] / flows.shape[-1], size[0] / flows.shape[-2]] * 2)
    return resized(flows, size) * times[:, None, None]


def resized(x, size):
    return F.interpolate(x, size=size, mode="bilinear")


def anew(x, size):
    return x.new_zeros(*x.shape[:2], *size)


def midway(before, after, flows):
    return warp(before, flows[:, :2]), warp(after, flows[:, 2:])


def searched(model, first, last, carry=resized, warped=midway, add=False):
    """Oracle: coarse to fine with the model's own pyramid and step; and ways to do it wrong."""
    pairs = list(zip(model.pyramid(first), model.pyramid(last)))[::-1]
    flows = anew(first[:, :1], pairs[0][0].shape[-2:]).repeat(1, 4, 1, 1)
    hidden = flows[:, :1].repeat(1, model.config.hidden_channels, 1, 1)
    for before, after in pairs:
        size = before.shape[-2:]
        flows, hidden = longer(flows, size), carry(hidden, size)
        before, after = warped(before, after, flows)
        new, hidden = model.motion(before, after, compared(before, after, model.config.radius), flows, hidden)
        flows = flows + new if add else new
    return flows, hidden


SEARCH_WRONG = {
    "self.motion returns flows, already corrected. Do not add them to the flows again": {"add": True},
    "the hidden state starts from zero at every level. Carry it on from the level below": {"carry": anew},
    "the features are not warped. Bring both to the middle by the flows so far": {"warped": lambda a, b, f: (a, b)},
    "the flows are crossed: channels 0 and 1 lead to the first": {"warped": lambda a, b, f: midway(a, b, f.roll(2, 1))},
    "both pictures are warped by the flow to the first": {"warped": lambda a, b, f: midway(a, b, f[:, [0, 1, 0, 1]])},
}


def made_model(lab, seed, num_levels=4, hidden_channels=5, radius=1):
    """The learner's model in double precision, with a known step."""
    torch.manual_seed(seed)
    said = f"Interpolator([4, 6], {hidden_channels}, {num_levels}, {radius})"
    model = attempt(said, lambda: lab.Interpolator([4, 6], hidden_channels, num_levels, radius))
    model.motion = Step(hidden_channels)
    return model.double()


def pictures(seed, height=24, width=40, batch=2):
    return [values.noise(seed + k, batch, 3, height, width).double() for k in (0, 1)]


def steps(model, run, *args, **wrong):
    """What the step was given at each level, and what came back, by name; first the order of the levels."""
    model.motion.calls.clear()
    flows, hidden = run(model, *args, **wrong)
    sizes = [tuple(call[0].shape[-2:]) for call in model.motion.calls]
    given = {f"{name} at {size}": x for size, call in zip(sizes, model.motion.calls) for name, x in zip(STEP, call)}
    return {"sizes": sizes} | given | {"flows at the end": flows, "hidden at the end": hidden}


def compare_steps(model, *ends):
    """The learner's search against the oracle's, step by step."""
    said = f"find_motion(first {tuple(ends[0].shape)}, last) with {model.config.num_levels} levels"
    with torch.no_grad():
        got, right = steps(model, yours, *ends), steps(model, searched, *ends)
        fine = {"it runs from fine to coarse. The smallest level comes first": right["sizes"][::-1]}
        judge(f"the sizes at which {said} calls self.motion", got["sizes"], right["sizes"], fine)
        mistakes = {m: lambda w=wrong: steps(model, searched, *ends, **w) for m, wrong in SEARCH_WRONG.items()}
        judge(said, got, right, mistakes, tolerance=1e-6)
        other = [f"{name} of {said}" for name, x in got.items() if name != "sizes" and x.dtype != ends[0].dtype]
        assert not other, f"{other[0]} is not in the pictures' dtype: make zeros as x.new_zeros(…) does"
    return {"target": right["flows at the end"][:1], "yours": got["flows at the end"][:1]}


def yours(model, first, last):
    return found(model.find_motion, first, last).value


@exercise("Interpolator", points=8, needs=needs, hint="for before, after in reversed(levels): ...")
def test_motion_steps(lab, seed, look):
    """one step per level, smallest first, with features warped to the middle, their cost, flows and hidden state"""
    look(**compare_steps(made_model(lab, seed), *pictures(seed)))
    for k, (options, size) in enumerate((((2, 7, 2), (12, 22)), ((5, 5, 1), (48, 80)), ((3, 2, 3), (8, 4)))):
        compare_steps(made_model(lab, seed + k, *options), *pictures(seed + k, *size, batch=1 + k))


@exercise("Interpolator", points=3, needs=needs, hint="No .detach() and no torch.no_grad() on the way.")
def test_motion_owes(lab, seed):
    """gradients go through all levels; samples do not mix; the same pictures give the same flows, in float32 too"""
    model, ends = made_model(lab, seed), pictures(seed, 16, 24, batch=3)
    theorems.gradient_is_whole("find_motion(first, last)", lambda first, last: yours(model, first, last),
                               dict(zip(PICTURES, ends)), step=1e-6)  # fmt: skip
    for part in found(model.find_motion, *ends):
        of = {"the motion step": model.motion.shift, "self.pyramid.fine": model.pyramid.fine.weight}
        theorems.learns(part.said, part.value, of)
    with torch.no_grad():
        theorems.owes(found, model.find_motion, *ends, other=pictures(seed + 1, 8, 16))
        theorems.batch_is_samples(found, model.find_motion, *ends)
        found(model.float().find_motion, *(x.float() for x in ends))


@exercise("Interpolator", points=2, needs=everything, hint="If all other tests hold, this one does.")
def test_outcome(lab, seed):
    """trained for a moment, your parts together follow a sliding texture where a motionless network cannot"""
    said = "8 training steps of your Interpolator"
    outcomes.load(__file__)["follows"].judge(said, attempt(said, trained_gain, lab.Interpolator, seed))


TRAINING = {"steps": 8, "batch_size": 4, "learning_rate": 1e-2}


def textures(seed, count):
    return sliding_textures(count, generator=torch.Generator().manual_seed(seed))


def trained_gain(kind, seed):
    """Train a small model; how much closer to the truth it is than the mean of both pictures, dB over all pixels."""
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
