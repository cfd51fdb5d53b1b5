"""Grader of lab 01.3, optical flow.

Oracles: the colour formula, hat functions for the warp, a least squares problem per window, a pyramid made of the
learner's own warp and step, and scenes whose flow is a formula.
"""

import math
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from common.course.graders import Call, array, judge, tensor, theorems, values
from common.data import Motion, flow_scene
from common.flow import halve, points_inside, window_average

exercise = pytest.mark.exercise


color = Call("flow_to_color", {"flow": "... c h w"}, array("... h w rgb", np.uint8), lambda given: {"rgb": 3})
CORNERS = {"red": (255, 0, 0), "yellow": (255, 255, 0), "green": (0, 255, 0), "cyan": (0, 255, 255),
           "blue": (0, 0, 255), "magenta": (255, 0, 255)}  # fmt: skip
ANGLES = [360 * k / 55 for k in (0, 15, 21, 25, 36, 49, 55)]  # degrees, clockwise on screen, red to red
ROUNDING = 0.004  # relative: one byte more or less


def paint(flow, max_flow=None, finish=np.round, turn=lambda u, v: (u, v), ground=255):
    """Oracle, (..., H, W, 3). What comes after `max_flow` makes mistakes."""
    u, v = flow.double().movedim(-3, 0).numpy()
    known = np.isfinite(u) & np.isfinite(v)
    u, v = turn(*np.where(known, (u, v), 0))
    length, angle = np.hypot(u, v), np.degrees(np.arctan2(v, u)) % 360
    hue = np.stack([np.interp(angle, ANGLES, channel) for channel in zip(*CORNERS.values(), (255, 0, 0))], axis=-1)
    s = np.minimum(length / (max_flow or length.max() or 1), 1)[..., None]
    return finish(((1 - s) * ground + s * hue) * known[..., None])


def motions(seed, *size, max_flow, scale=4.0):
    """Motions (..., 2, H, W) without a colour half way between two bytes: there is no doubt how to round them."""
    flow = values.noise(seed, *size, scale=scale)
    flow[..., 0, 0, 0], flow[..., 1, 0, 0] = 5 * scale, 0  # the longest, to the right
    doubt = np.abs(paint(flow, max_flow, finish=np.array) % 1 - 0.5).min(axis=-1) < 0.02  # (..., H, W)
    return flow * torch.from_numpy(~doubt).unsqueeze(-3)


@exercise("flow_to_color", points=2, hint="angle = np.degrees(np.arctan2(y, x)) % 360, with x = flow[0], y = flow[1].")
def test_color_directions(lab, look):
    """the six corners of the wheel: red to the right, then clockwise yellow, green, cyan, blue, magenta"""
    radians = torch.tensor(ANGLES[:6], dtype=torch.float64) * math.pi / 180
    compass = torch.stack([radians.cos(), radians.sin()])[:, None]  # (2, 1, 6)
    mistakes = {
        "the wheel is mirrored: y points down, so the sign of v stays": partial(paint, turn=lambda u, v: (u, -v)),
        "x and y are swapped: flow[0] is x, and arctan2 takes y first": partial(paint, turn=lambda u, v: (v, u)),
        "the channels are in the order BGR, and RGB is asked for": lambda *args, **kw: paint(*args, **kw)[..., ::-1],
    }  # fmt: skip
    because = "corners of the wheel, in degrees: " + ", ".join(f"{n} {a:.0f}" for n, a in zip(CORNERS, ANGLES))
    rows = [(length * compass, {"max_flow": length}) for length in (3.0, 0.5, 40.0)]
    answers = color.table(lab, rows, paint, mistakes, because=because, tolerance=ROUNDING)
    look(target=paint(compass).astype(np.uint8)[None], yours=answers[0].value[None])


@exercise("flow_to_color", points=4, hint="s = min(length / max_flow, 1); color = (1 - s) * white + s * hue.")
def test_color_formula(lab, seed):
    """any motion: its hue between two corners, mixed with white; none is white, max_flow and more the pure hue"""
    sizes = ((2, 9, 13), 6.0, 4.0), ((2, 8, 5), 3, 4.0), ((3, 2, 4, 7), 0.5, 0.2), ((2, 6, 3), 40.0, 3.0)
    rows = [(motions(seed, *size, max_flow=m, scale=s), {"max_flow": m}) for size, m, s in sizes]
    right = torch.tensor([0.0, 1.0, 1.5, 4.0, 4.5, 9.0, 400.0])
    rows += [(torch.stack([right, 0 * right])[:, None].expand(2, 3, 7), {"max_flow": m}) for m in (4.0, 1)]
    mistakes = {
        "x and y are each limited to max_flow, which turns long motions. Limit the length alone":
            lambda flow, max_flow: paint(flow.clamp(-max_flow, max_flow), max_flow),
        "no motion is white, not black: length is saturation, not brightness": partial(paint, ground=0),
    }  # fmt: skip
    because = "with s = length / max_flow, at most 1, it is (1 - s) * white + s * hue, rounded to the nearest"
    color.table(lab, rows, paint, mistakes, because=because, tolerance=0)


@exercise("flow_to_color", points=4, hint="None: the largest known length in the whole flow, or 1. Unknown: black.")
def test_color_unknown_and_longest(lab, seed):
    """unknown motions are black; without max_flow the longest known one of the batch is pure; nonsense is refused"""
    flow = motions(seed, 2, 2, 3, 5, max_flow=3.0)
    flow[1, 0, 0, 1], flow[0, 1, 1, 2], flow[1, 0, 2, 3], flow[0, 1, 2, 4] = math.nan, math.nan, math.inf, -math.inf
    because = "a motion whose x or y is NaN or infinite is black, and the known ones beside it keep their colour"
    color(lab, flow, max_flow=3.0).near(paint(flow, 3.0), tolerance=0, because=because)
    theorems.owes(color, lab, flow, truth=paint, tolerance=ROUNDING, dtypes=(torch.float64,), max_flow=3.0)

    flow = motions(seed, 3, 2, 4, 5, max_flow=20.0) * torch.tensor([0.125, 1, 0.5])[:, None, None, None]
    because = "the longest motion that is known, anywhere in the batch, is pure"
    apart = {"each picture has its own scale. It should be one for the whole batch": np.stack(list(map(paint, flow)))}
    color(lab, flow).near(paint(flow), apart, because=because, tolerance=ROUNDING)
    mistakes = {"the largest component is not the largest length": lambda flow: paint(flow, flow.max().item())}
    slanted = torch.tensor([3.0, 4.0]).reshape(2, 1, 1) * torch.tensor([1.0, 0.5, 0.25])  # the longest is 5 long
    rows = [(slanted * scale,) for scale in (1, 0.01, 1000)]
    color.table(lab, rows, paint, mistakes, because=because, tolerance=ROUNDING)
    flow[0, 0, 1, 1], flow[2, 1, 2, 3], flow[0, :, 3, 3] = math.nan, math.inf, -math.inf
    color(lab, flow, max_flow=None).near(paint(flow), because=because, tolerance=ROUNDING)
    still = torch.zeros(2, 3, 4)
    for flow in (still, still * math.nan, still.masked_fill(torch.arange(4) == 2, math.nan)):
        color(lab, flow).equal(paint(flow), because="where nothing moves all is white, and what is unknown is black")

    for size in ((3, 4, 5), (4, 5), (4, 5, 2), (1, 4, 5), (1, 1, 2, 4, 5), (2, 3, 4, 5), (2,)):
        color.refuses(lab, torch.ones(size))
    for max_flow in (0, 0.0, -3, -1e-3):
        color.refuses(lab, torch.ones(2, 4, 5), max_flow=max_flow)


pull = Call("warp", {"image": "b c h w", "flow": "b xy h w"}, gives=tensor("b c h w", "same"))


class Coordinates(TorchDispatchMode):
    """Watches what `grid_sample` is asked for: it takes a NaN without a word, and Python crashes in its backward."""

    unknown = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if "grid_sampler" in function.name():
            self.unknown += int((~torch.isfinite(args[1])).sum())
        return function(*args, **(kwargs or {}))


def slow_warp(image, flow, sign=1, axes=(0, 1), still=1, place=lambda at, size: at, border=True):
    """Oracle: two hat functions for each pixel, in double precision. What comes after `flow` makes mistakes."""
    height, width = image.shape[-2:]
    u, v = (sign * flow.double())[:, axes].unbind(dim=1)

    def hats(motion, pixels):
        at = place(still * pixels + motion, pixels.numel())
        at = at.clamp(0, pixels.numel() - 1) if border else at
        return (1 - (at[..., None] - torch.arange(pixels.numel())).abs()).clamp(min=0)  # (B, H, W, size)

    rows, columns = hats(v, torch.arange(height)[:, None]), hats(u, torch.arange(width))
    return torch.einsum("bchw,byxh,byxw->bcyx", image.double(), rows, columns)


def lands(seed, batch, height, width, between=0.0):
    """A flow from each pixel to some pixel of the picture, or to a place `between` that one and the next."""
    draw = np.random.default_rng(seed)
    x, y = (torch.from_numpy(draw.integers(0, n - (between > 0), (batch, height, width))) for n in (width, height))
    flow = torch.stack([x - torch.arange(width), y - torch.arange(height)[:, None]], dim=1).float()
    return flow + between * values.uniform(seed, batch, 2, height, width, low=0.2)


@exercise("warp", points=2, hint="x = columns + flow[:, 0], y = rows + flow[:, 1]: the flow is added to the place.")
def test_warp_whole_pixels(lab, seed, look):
    """a flow of whole pixels fetches whole pixels: (2, -1) looks two columns to the right and one row up"""
    mistakes = {
        "the places are half a pixel off: the grid counts from the middle of the first pixel to that of the last "
        "(align_corners=True)": partial(slow_warp, place=lambda at, size: at * size / (size - 1) - 0.5),
        "the picture moved the wrong way: fetch from x + u, y + v, not from x - u, y - v": partial(slow_warp, sign=-1),
        "x and y are swapped: flow[:, 0] is the motion along x, the columns": partial(slow_warp, axes=(1, 0)),
        "only the flow is used. Add it to the place (x, y) of each pixel": partial(slow_warp, still=0),
    }  # fmt: skip
    image = values.noise(seed, 2, 3, 6, 9)
    rows = [(image, lands(seed, 2, 6, 9)), (values.noise(seed, 3, 1, 7, 4), lands(seed, 3, 7, 4))]
    rows.append((image, torch.zeros(2, 2, 6, 9)))
    because = "the pixel at column x, row y is the image's at column x + u, row y + v"
    answer = pull.table(lab, rows, slow_warp, mistakes, because=because, tolerance=1e-4)[0]
    look(target=slow_warp(*rows[0])[0][:, None].clamp(-1, 1), yours=answer.value[0][:, None].clamp(-1, 1))


@exercise("warp", points=3, hint='F.grid_sample(…, mode="bilinear", padding_mode="border", align_corners=True)')
def test_warp_between_pixels_and_outside(lab, seed):
    """between pixels the four around the place are mixed; outside the nearest pixel of the border is taken"""
    mistakes = {
        "each place takes its nearest pixel. Mix the four around it bilinearly":
            partial(slow_warp, place=lambda at, size: at.round()),
        "outside the picture yours is black. Take the nearest pixel of the border": partial(slow_warp, border=False),
    }  # fmt: skip
    sizes = (2, 3, 7, 10), (1, 2, 3, 70), (3, 1, 2, 4)
    rows = [(values.noise(seed, b, c, h, w), lands(seed, b, h, w, between=0.8)) for b, c, h, w in sizes]
    rows += [(values.noise(seed, 2, 3, 5, 8) + 2, values.noise(seed + 1, 2, 2, 5, 8, scale=s)) for s in (3, 60)]
    because = "mix the four pixels around the place bilinearly; a place outside takes the nearest pixel of the border"
    pull.table(lab, rows, slow_warp, mistakes, because=because, tolerance=1e-3)


@exercise("warp", points=4, hint="2 * x / max(width - 1, 1) - 1; no .detach() or .round(); check both shapes first.")
def test_warp_sizes_gradient_and_dtype(lab, seed):
    """one pixel wide or high works; gradients reach image and flow; float64 stays exact; other shapes are refused"""
    for size in ((5, 1), (1, 6), (1, 1), (2, 2), (4, 7)):
        ways = 1 - 2 * values.coins(seed, 3, 2, *size).float()
        flow = (ways * values.uniform(seed + 1, 3, 2, *size, low=0.2, high=0.8)).requires_grad_()
        image = values.noise(seed, 3, 2, *size).requires_grad_()
        true = slow_warp(image, flow)
        gradients = dict(zip(("image", "flow"), torch.autograd.grad(true.sum(), (image, flow))))
        with Coordinates() as coordinates:
            answer = pull(lab, image, flow)
        assert not coordinates.unknown, (  # or Python would crash in backward
            f"{answer.said}: {coordinates.unknown} coordinates for grid_sample are NaN or infinite. Where width - 1 or "
            "height - 1 is 0, divide by max(width - 1, 1), max(height - 1, 1)"
        )
        answer.near(true, tolerance=1e-4).gradients(gradients)
    image, flow = image.detach(), 3 * flow.detach()
    theorems.batch_is_samples(pull, lab, image, flow)
    theorems.owes(pull, lab, image, flow, truth=slow_warp, tolerance=1e-4)
    image, flow = image.double(), flow.double()
    pull(lab, image, flow).near(slow_warp(image, flow), tolerance=1e-10, because="the precision of float64 is lost")
    image = torch.zeros(2, 3, 4, 5)
    for flow in ((2, 2, 5, 4), (2, 3, 4, 5), (1, 2, 4, 5), (2, 4, 5), (2, 2, 1, 1), (2, 1, 4, 5), (2, 2, 4, 5, 1)):
        pull.refuses(lab, image, torch.zeros(flow))
    for other in (image[0], image[:, :, None]):
        pull.refuses(lab, other, torch.zeros(len(other), 2, 4, 5))


DTYPES = torch.float16, torch.bfloat16, torch.float32, torch.float64
error = Call("end_point_error", {"flow": "... xy h w"}, gives=tensor("...", finite=False))


def slow_error(flow, target, valid=None, measure=torch.hypot, finish=lambda mean: mean, divide="valid"):
    """Oracle, each flow of a batch by itself. What comes after `valid` makes mistakes."""
    if flow.ndim == 4:
        masks = [None] * len(flow) if valid is None else valid
        return torch.stack([slow_error(*one, measure, finish, divide) for one in zip(flow, target, masks)])
    ends = measure(*(flow.double() - target.double()))  # (H, W)
    counted = ends.flatten() if valid is None else ends[valid]
    return finish(counted.sum() / (ends.numel() if divide == "all" else counted.numel()))


@exercise("end_point_error", points=2, hint="Root of the sum of squares at each pixel, then the mean.")
def test_error_known(lab, seed):
    """off by (3, 4) is off by 5 pixels; no flow at all is off by the mean length"""
    squares, added = (lambda u, v: u * u + v * v), (lambda u, v: abs(u) + abs(v))
    mistakes = {
        "x and y are added up. Take the root of the sum of their squares": partial(slow_error, measure=added),
        "that is the mean of the squares: take the root": partial(slow_error, measure=squares),
        "the root belongs to each pixel, before the mean": partial(slow_error, measure=squares, finish=torch.sqrt),
    }
    rows = [(torch.tensor([3.0, -4.0]).reshape(2, 1, 1).expand(2, 5, 6), torch.zeros(2, 5, 6))]
    rows += [(values.noise(seed, 2, 5, 6, scale=s), values.noise(seed + 1, 2, 5, 6, scale=s)) for s in (3, 0.01, 1e4)]
    because = "at each pixel the length of the difference, then the mean over the pixels"
    error.table(lab, rows, slow_error, mistakes, because=because)


@exercise("end_point_error", points=2, hint="Sum along the channel axis, -3; mean over the last two.")
def test_error_formula(lab, seed, look):
    """one number for each flow of a batch; in float64 if one of the two is float64, in float32 otherwise"""
    flow, target = values.noise(seed, 4, 2, 5, 7, scale=3), values.noise(seed + 1, 4, 2, 5, 7, scale=3)
    look(target=slow_error(flow, target), yours=theorems.owes(error, lab, flow, target, truth=slow_error).value)
    pairs = (flow, target), (torch.full((2, 3, 4), 300.0), torch.zeros(2, 3, 4)), (flow[1:2], target[1:2])
    cases = list(zip(pairs * 2, (None, None, None, values.coins(seed, 4, 5, 7), torch.ones(3, 4) > 0)))
    for (pair, valid), a, b in product(cases, DTYPES, DTYPES):
        answer = error(lab, pair[0].to(a), pair[1].to(b), valid=valid)
        said = f"{answer.said} of {a} and {b}".replace("torch.", "")
        kept = torch.promote_types(torch.promote_types(a, b), torch.float32)
        assert answer.value.dtype == kept, f"{said} should be {kept}, not {answer.value.dtype}".replace("torch.", "")
        because = "convert both to float32 at least, then subtract: 300² is too large for 16 bits"
        tolerance = 1e-12 if kept == torch.float64 else 1e-6
        judge(said, answer.value, slow_error(*answer.given.values()), tolerance=tolerance, because=because)


@exercise("end_point_error", points=3, hint="torch.where(valid, error, 0).sum(dim=(-2, -1)) / valid.sum(dim=(-2, -1))")
def test_error_valid(lab, seed):
    """only valid pixels count, each flow with its own number of them; what does not fit, or none valid, is refused"""
    flow, target = values.noise(seed, 3, 2, 4, 6), values.noise(seed + 1, 3, 2, 4, 6)
    valid = torch.zeros(3, 4, 6, dtype=torch.bool)
    valid[0, 0, :2], valid[1, 1:3], valid[2, :, 1:] = True, True, True

    mistakes = {
        "you divide by the number of all pixels. Divide by the number of valid ones": partial(slow_error, divide="all"),
        "`valid` is turned around: the pixels where it is True count": lambda f, t, valid: slow_error(f, t, ~valid),
    }
    rows = [(flow, target, {"valid": valid})]
    [right] = error.table(lab, rows, slow_error, mistakes, because="the mean is over the valid pixels")
    for bad in (math.nan, math.inf, -math.inf, 1e30):
        because = f"pixels that are not valid hold {bad:g}: NaN times 0 is NaN, so choose with torch.where"
        spoiled, true = (maps.masked_fill(~valid[:, None], bad) for maps in (flow, target))
        for pair in ((spoiled, target), (flow, true)):
            error(lab, *pair, valid=valid).near(right.value, because=because)
    error(lab, flow[0], target[0], valid=valid[0]).near(slow_error(flow[0], target[0], valid[0]))
    error(lab, flow, target, valid=valid | True).near(slow_error(flow, target), because="all pixels are valid here")
    theorems.owes(error, lab, flow, target, truth=slow_error, valid=valid)

    flow, valid = torch.zeros(3, 2, 4, 5), torch.ones(3, 4, 5, dtype=torch.bool)
    for target in (flow[:1], flow[0], flow[..., :1], flow[:, :1], flow.mT):
        error.refuses(lab, flow, target)
    for size in ((1, 3, 2, 4, 5), (4, 5), (2,), (3, 1, 4, 5), (3, 4, 5), (4, 5, 2), (2, 3, 4, 5)):
        error.refuses(lab, torch.zeros(size), torch.zeros(size))
    for mask in (valid[0], valid[:1], valid[:, None], valid[..., :1], valid.mT):
        error.refuses(lab, flow, flow, valid=mask)
    for mask in (valid[:1], valid[0] & False):
        error.refuses(lab, flow[0], flow[0], valid=mask)
    valid[1] = False
    error.refuses(lab, flow, flow, valid=valid, because="flow 1 has no valid pixel")


PICTURES = {"first": "b c h w", "second": "b c h w", "valid": "b 1 h w"}
step = Call("lucas_kanade_step", PICTURES, gives=tensor("b uv h w", "same"), sizes=lambda given: {"uv": 2})


def pictures(seed, batch, channels, height, width):
    """Two smooth pictures, float64, with slopes of all directions, different in each channel; not much in common."""
    y, x = torch.arange(height)[:, None], torch.arange(width)
    k = values.uniform(seed, 2, 2, batch, channels, 6, 1, 1, high=0.35, low=-0.35, dtype=torch.float64)
    phase = values.uniform(seed + 1, 2, batch, channels, 6, 1, 1, high=7, dtype=torch.float64)
    first, other = torch.cos(k[0] * x + k[1] * y + phase).mean(dim=3)
    return first, first + 0.6 * other + 0.05


def slopes(maps):
    """Half the difference of the two neighbours, border pixels repeated outside."""
    around = F.pad(maps, (1, 1, 1, 1), mode="replicate")
    return ((around[..., 1:-1, 2:] - around[..., 1:-1, :-2]) / 2, (around[..., 2:, 1:-1] - around[..., :-2, 1:-1]) / 2)


def slow_step(first, second, valid=None, window=13, damping=1e-3, look_at=lambda a, b: (a + b) / 2, sign=1,
              turn=lambda dx, dy: (dx, dy), mean="products", in_determinant=False):  # fmt: skip
    """Oracle: the least squares problem of each window, solved. What comes after `damping` makes mistakes."""
    first, second = first.double(), second.double()
    maps = [*turn(*slopes(look_at(first, second))), sign * (second - first)]
    maps = [m.mean(dim=1, keepdim=True) for m in maps] if mean == "channels" else maps
    dx, dy, dt = [window_average(m, window) for m in maps] if mean == "slopes" else maps
    products = torch.stack([(p * q).mean(dim=1) for p, q in ((dx, dx), (dx, dy), (dy, dy), (dx, dt), (dy, dt))], dim=1)
    products = products if valid is None else products * valid
    xx, xy, yy, xt, yt = (products if mean == "slopes" else window_average(products, window)).unbind(dim=1)
    if in_determinant:
        return torch.stack([xy * yt - yy * xt, xy * xt - xx * yt], dim=1) / (xx * yy - xy**2 + damping)[:, None]
    matrix = torch.stack([xx + damping, xy, xy, yy + damping], dim=-1).unflatten(-1, (2, 2))  # (B, H, W, 2, 2)
    return torch.linalg.solve(matrix, -torch.stack([xt, yt], dim=-1)).movedim(-1, 1)


@exercise("lucas_kanade_step", points=2, hint="Pad the average of both pictures; right minus left, over 2.")
def test_step_slopes(lab, seed):
    """the slopes dx and dy, and the change dt: with a large damping the motion is -<dx dt> / damping"""
    first, second = pictures(seed, 2, 3, 7, 9)
    answer = step(lab, first, second, window=1, damping=1e4)

    def read(**mistake):
        return -1e4 * slow_step(first, second, window=1, damping=1e4, **mistake)

    mistakes = {
        "the motion points backward: dt is second - first, and the right side has a minus": read(sign=-1),
        "dx and dy are swapped: dx is the slope along x, the last axis": read(turn=lambda dx, dy: (dy, dx)),
        "the slopes are those of the first picture. Use the average of the two pictures": read(look_at=lambda a, b: a),
        "the channels were averaged before the products. Average the products": read(mean="channels"),
        "damping was added to the determinant. It belongs on both entries of the diagonal": read(in_determinant=True),
    }  # fmt: skip
    because = "look at dx = (right - left) / 2, dy = (below - above) / 2, the border repeated, dt, the channels' mean"
    judge("<dx dt>, <dy dt>, read off a step with window=1 and damping=10000", -1e4 * answer.value, read(), mistakes,
          axes=("b", "uv", "h", "w"), because=because, tolerance=1e-9)  # fmt: skip


@exercise("lucas_kanade_step", points=5, hint="Products first, window_average second, the inverse 2 × 2 matrix third.")
def test_step_formula(lab, seed, look):
    """the least squares motion of each window, up to the border, also where pictures are flat or striped"""
    scene = moving(seed, (0.4, -0.25), finest=12)
    look(target=as_clip(scene.flow), yours=as_clip(step(lab, scene.first, scene.second).value))
    sizes = (2, 3, 11, 14), (1, 2, 9, 10), (3, 1, 6, 5), (1, 2, 15, 17)
    options = {"window": 5, "damping": 0.02}, {"window": 9, "damping": 1e-5}, {"window": 7, "damping": 0.1}, {}
    rows = [(*pictures(seed, *size), how) for size, how in zip(sizes, options)]
    stripes = [torch.sin(torch.arange(40).double() * 0.5 - s).expand(1, 1, 30, 40) for s in (0.0, 0.2)]
    rows += [(scene.first.double(), scene.second.double()), stripes, [torch.full((1, 2, 8, 9), x) for x in (0.4, 0.5)]]
    early = partial(slow_step, mean="slopes")
    mistakes = {"the slopes were averaged before they were multiplied. Average the products": early}
    because = "look at the five products, their window_average, damping on the diagonal, and the solution of the system"
    step.table(lab, rows, slow_step, mistakes, because=because, tolerance=1e-6)


@exercise("lucas_kanade_step", points=5, hint="products = products * valid, before window_average; check shapes first.")
def test_step_valid(lab, seed):
    """pixels that are not valid have no say in any window; samples do not mix; other shapes are refused"""
    first, second = pictures(seed, 2, 3, 9, 12)
    valid = values.coins(seed, 2, 1, 9, 12)
    valid[0, :, :, 8:], valid[1, :, :4] = False, False
    options = {"window": 5, "damping": 0.02}, {"window": 3, "damping": 0.1}, {}
    rows = [(first, second, {"valid": valid, **how}) for how in options]
    rows += [(first, second, {"valid": mask}) for mask in (None, valid | True, valid & False)]
    because = "the five products are zero where a pixel is not valid, and window_average comes after that"
    step.table(lab, rows, slow_step, because=because, tolerance=1e-6)
    theorems.batch_is_samples(step, lab, first, second, valid=valid, window=5)
    theorems.owes(step, lab, first, second, truth=slow_step, tolerance=1e-6, valid=valid, window=5)
    options = {"tolerance": 1e-3, "dtypes": (torch.float64,), "window": 5, "damping": 0.02}
    theorems.owes(step, lab, first.float(), second.float(), truth=slow_step, **options)
    refuses_pictures(step, lab)


def refuses_pictures(call, lab):
    a = torch.zeros(2, 3, 16, 18)
    for first, second in ((a, a[:1]), (a[:1], a), (a, a[0]), (a[0], a[0]), (a, a[:, :1]), (a, a.mT), (a, a[..., :1])):
        call.refuses(lab, first, second)
    call.refuses(lab, a[:, :, None], a[:, :, None])


follow = Call("lucas_kanade", PICTURES, gives=tensor("b uv h w", "same"), sizes=lambda given: {"uv": 2})


def moving(seed, shift=(0.0, 0.0), size=(40, 54), finest=8.0, **motion):
    generator = torch.Generator().manual_seed(seed)
    return flow_scene(*size, Motion(shift=shift, **motion), finest=finest, generator=generator)


def as_clip(flow):
    """A flow `(1, 2, H, W)` to look at, whatever the learner's colours are: x in red, y in green."""
    return torch.cat([flow[0].detach() / 5, torch.zeros_like(flow[0, :1])])[:, None].clamp(-1, 1)


def pyramid(lab, first, second, num_levels=4, num_iterations=4, *, grows=True, **options):
    """Oracle, made of the learner's own warp and step. `grows=False` makes a mistake."""
    levels = [(first, second)]
    for _ in range(num_levels - 1):
        levels.append((halve(levels[-1][0]), halve(levels[-1][1])))
    flow = torch.zeros(len(first), 2, *levels[-1][0].shape[-2:], dtype=first.dtype)
    for a, b in reversed(levels):
        height, width = a.shape[-2:]
        ratio = torch.tensor([width / flow.shape[-1], height / flow.shape[-2]], dtype=first.dtype)[:, None, None]
        flow = (ratio if grows else 1) * F.interpolate(flow, size=(height, width), mode="bilinear")
        for _ in range(num_iterations):
            flow = flow + lab.lucas_kanade_step(a, lab.warp(b, flow), valid=points_inside(flow), **options)
    return flow


@exercise(
    "lucas_kanade", points=6, needs=("warp", "lucas_kanade_step"), hint="Add each step. Resized: times new / old."
)
def test_flow_levels(lab, seed):
    """at each size num_iterations steps, which are added; for the next size the flow is resized, its vectors grow"""
    large, small = moving(seed, (1.4, -0.9)), moving(seed + 1, (0.4, -0.3), size=(28, 38))
    even, odd = moving(seed, (3.2, -2.4), size=(24, 34)), moving(seed + 1, (3.2, 2.4), size=(27, 37))
    upright, tiny = moving(seed + 2, (-4.2, 2.4), size=(25, 18)), moving(seed + 3, (1.2, 0.4), size=(7, 5))
    cases = (
        (large, 1, 1, 9, 0.004), (small, 1, 2, 5, 0.02), (large, 1, 3, 9, 0.05), (small, 1, 3, 9, 0.05),
        (even, 2, 1, 9, 0.01), (odd, 3, 1, 9, 0.01), (upright, 2, 2, 9, 0.01), (tiny, 3, 1, 3, 0.01), (odd,),
    )  # fmt: skip
    names = ("num_levels", "num_iterations", "window", "damping")
    rows = [(scene.first.double(), scene.second.double(), dict(zip(names, options))) for scene, *options in cases]
    short = "the flow grew, and its vectors did not. In a picture twice as wide they are twice as long"
    mistakes = {
        "it is the flow from the second picture to the first": lambda a, b, **o: pyramid(lab, b, a, **o),
        short: partial(pyramid, lab, grows=False),
    }
    because = "at each size num_iterations times: warp, a step with valid=points_inside(flow), add it. "
    because += "Resized bilinearly, u grows as the width, and v as the height"
    follow.table(lab, rows, partial(pyramid, lab), mistakes, because=because, tolerance=1e-4)


@exercise("lucas_kanade", points=5, needs=("warp", "lucas_kanade_step"), hint="Is the flow multiplied? Added up?")
def test_flow_exact_scenes(lab, seed, look):
    """scenes with known flow: far below the error of no flow; 10 pixels need the small sizes"""
    small, three = (34, 46), {"num_levels": 3, "num_iterations": 3}
    for name, motion, size, options, bar in (
        ("a turn by 6 degrees", {"turn": 6.0}, small, three, 0.12),
        ("a zoom by 1.1", {"zoom": 1.1}, small, three, 0.12),
        ("a shift by (8, -6)", {"shift": (8.0, -6.0), "finest": 10}, (49, 67), {}, 0.4),
    ):
        scene = moving(seed, size=size, **motion)
        flow = follow(lab, scene.first, scene.second, **options).value
        look(target=as_clip(scene.flow), yours=as_clip(flow))
        mine, nothing = (slow_error(f, scene.flow, scene.visible).item() for f in (flow, 0 * flow))
        assert mine < bar, f"{name}: your error is {mine:.2f} pixels, and {bar} can be had. No flow has {nothing:.2f}"
    fine = moving(seed, (8.0, -6.0))  # waves of 8 pixels: the full size alone cannot follow 10 pixels
    flow = follow(lab, fine.first, fine.second, num_levels=1).value
    alone = slow_error(flow, fine.flow, fine.visible).item()
    assert alone > 0.7, f"a shift by 10 pixels is out of reach with num_levels=1, but your error is {alone:.2f} pixels"


@exercise("lucas_kanade", points=2, needs=("warp", "lucas_kanade_step"), hint="Nothing may mix samples. Check first.")
def test_flow_batch(lab, seed):
    """each pair of a batch has its own flow, equal pictures have none; float32; what does not fit is refused"""
    pairs = [moving(seed + k, s, size=(20, 26)) for k, s in enumerate(((2.0, 0.5), (-1.0, 2.5), (0.0, 0.0)))]
    first, second = (torch.cat([getattr(pair, name) for pair in pairs]).double() for name in ("first", "second"))
    two = {"num_levels": 2, "num_iterations": 2}
    whole = theorems.batch_is_samples(follow, lab, first, second, **two)
    judge(f"{whole.said}, for two equal pictures,", whole.value[2], torch.zeros(2, 20, 26), tolerance=1e-6)
    truth = partial(pyramid, lab)
    theorems.owes(follow, lab, first, second, truth=truth, dtypes=(torch.float32,), tolerance=1e-3, **two)
    refuses_pictures(follow, lab)
    a = torch.zeros(2, 3, 16, 18)
    for options in ({"num_levels": 0}, {"num_levels": -1}, {"num_iterations": 0}, {"num_iterations": -2}):
        follow.refuses(lab, a, a, **options)
