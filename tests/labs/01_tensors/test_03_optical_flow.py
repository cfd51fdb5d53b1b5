"""Grader of lab 01.3, optical flow.

Every test has its own oracle: a loop over pixels, a closed form, or a scene whose flow is a formula. The library's
parts are off limits while this file runs.
"""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from common.course.grader_tools import attempt, refuses
from common.data import Motion, flow_scene
from common.flow import halve, points_inside

exercise = pytest.mark.exercise


def shape(x):
    return tuple(x.shape) if hasattr(x, "shape") else type(x).__name__


# ---------------------------------------------------------------------------------------------- flow_to_color

CORNERS = {"red": (255, 0, 0), "yellow": (255, 255, 0), "green": (0, 255, 0), "cyan": (0, 255, 255),
           "blue": (0, 0, 255), "magenta": (255, 0, 255)}  # fmt: skip
ANGLES = [360 * k / 55 for k in (0, 15, 21, 25, 36, 49, 55)]  # degrees, clockwise on screen, red to red


def right_color(u, v, max_flow):
    """Oracle: the colour of one motion, as floats 0 to 255, by walking around the wheel."""
    if not (math.isfinite(u) and math.isfinite(v)):
        return (0.0, 0.0, 0.0)
    angle = math.degrees(math.atan2(v, u)) % 360
    k = max(i for i in range(6) if ANGLES[i] <= angle)
    share = (angle - ANGLES[k]) / (ANGLES[k + 1] - ANGLES[k])
    one, other = list(CORNERS.values())[k], list(CORNERS.values())[(k + 1) % 6]
    s = min(math.hypot(u, v) / max_flow, 1)
    return tuple(255 * (1 - s) + s * ((1 - share) * a + share * b) for a, b in zip(one, other))


def color_answer(lab, flow, said="flow_to_color(flow)", **options):
    got = attempt(said, lab.flow_to_color, flow, **options)
    assert isinstance(got, np.ndarray), f"{said} returned {type(got).__name__}; a numpy array is asked for"
    want = (*flow.shape[:-3], *flow.shape[-2:], 3)
    assert got.shape == want, f"a flow {shape(flow)} should be painted as {want}, colours last; yours is {got.shape}"
    assert got.dtype == np.uint8, f"expected uint8, got {got.dtype}"
    return got.astype(int)


def compass(length):
    """Six motions (2, 1, 6), one for each corner of the wheel."""
    angles = torch.tensor(ANGLES[:6], dtype=torch.float64) * math.pi / 180
    return torch.stack([length * angles.cos(), length * angles.sin()])[:, None].float()


@exercise("flow_to_color", points=2, hint="angle = np.degrees(np.arctan2(y, x)) % 360, with x = flow[0], y = flow[1].")
def test_color_directions(lab, look):
    """the six corners of the wheel: red to the right, then clockwise yellow, green, cyan, blue, magenta"""
    flow = compass(3.0)
    got = color_answer(lab, flow, "flow_to_color(six motions of 3 pixels, max_flow=3)", max_flow=3.0)[0]  # (6, 3)
    wanted = np.array([right_color(*flow[:, 0, i].tolist(), 3.0) for i in range(6)]).round().astype(int)
    look(target=wanted.astype(np.uint8)[None, None], yours=got.astype(np.uint8)[None, None])

    def looks_like(colors):
        return np.abs(got - np.array(colors)).max() <= 2

    def of(change, paint=lambda c: c):
        return [paint(np.array(right_color(*change(*flow[:, 0, i].tolist()), 3.0))) for i in range(6)]

    known = (
        (of(lambda u, v: (u, -v)), "the wheel is mirrored: y points down on screen, so the sign of v stays"),
        (of(lambda u, v: (v, u)), "x and y are swapped: flow[0] is x, and arctan2 takes y first"),
        (of(lambda u, v: (-u, -v)), "the wheel is turned half around: 0 degrees points to the right, and is red"),
        (of(lambda u, v: (u, v), lambda c: c[::-1]), "the channels are in the order BGR; RGB is asked for"),
    )
    for colors, message in known:
        assert not looks_like(colors), message
    for i, (name, want) in enumerate(CORNERS.items()):
        u, v = flow[:, 0, i].tolist()
        assert np.abs(got[i] - want).max() <= 2, (
            f"the motion ({u:.2f}, {v:.2f}), {ANGLES[i]:.0f} degrees, of length max_flow should be pure {name} {want}, "
            f"not {tuple(got[i].tolist())}"
        )


@exercise("flow_to_color", points=2, hint="np.interp(angle, WHEEL_DEGREES, reds), the same for greens and blues.")
def test_color_formula(lab, seed):
    """any motion: its hue between two corners, mixed with white"""
    flow = 4 * torch.randn(2, 9, 13, generator=torch.Generator().manual_seed(seed))
    got = color_answer(lab, flow, max_flow=6.0)

    def painted(flow):
        return np.array([[right_color(*flow[:, y, x].tolist(), 6.0) for x in range(13)] for y in range(9)])

    want = painted(flow)
    if np.abs(got - want).max() <= 0.51:
        return
    assert (want - got).min() < -0.01 or (want - got).max() > 1.01, (
        "every colour is right but for its fraction, which is cut off: round to the nearest before uint8"
    )
    assert np.abs(got - painted(flow.clamp(-6, 6))).max() > 0.51, (
        "x and y were each limited to max_flow, which turns long motions: limit the length, and leave the direction"
    )
    y, x = np.unravel_index(np.abs(got - want).max(axis=-1).argmax(), (9, 13))
    u, v = flow[:, y, x].tolist()
    pytest.fail(
        f"the motion ({u:.2f}, {v:.2f}) with max_flow=6 (angle {math.degrees(math.atan2(v, u)) % 360:.0f} degrees, "
        f"length {math.hypot(u, v):.2f}) should be {tuple(want[y, x].round().astype(int).tolist())}, not "
        f"{tuple(got[y, x].tolist())}"
    )


@exercise("flow_to_color", points=2, hint="s = min(length / max_flow, 1); color = (1 - s) * white + s * hue.")
def test_color_saturation(lab):
    """no motion is white, half of max_flow is half as strong, more than max_flow is no stronger"""
    right = torch.tensor([0.0, 2.0, 4.0, 9.0, 400.0])
    flow = torch.stack([right, torch.zeros(5)])[:, None].expand(2, 3, 5)
    got = color_answer(lab, flow, "flow_to_color(motions to the right, max_flow=4)", max_flow=4.0)[1]
    assert got[0].max() > 0, "no motion should be white, yours is black: length is saturation, not brightness"
    assert (got[0] == 255).all(), f"no motion should be white (255, 255, 255), not {tuple(got[0].tolist())}"
    assert got[1, 0] == 255 and np.abs(got[1, 1:] - 127.5).max() <= 1, (
        f"a motion of half max_flow to the right should be (255, 128, 128), not {tuple(got[1].tolist())}"
    )
    for k, times in ((2, "exactly"), (3, "more than twice"), (4, "a hundred times")):
        assert tuple(got[k].tolist()) == (255, 0, 0), (
            f"a motion of {times} max_flow to the right should be pure red, not {tuple(got[k].tolist())}: "
            "saturation stops at 1"
        )


@exercise(
    "flow_to_color", points=2, hint="if max_flow is None: the largest length over the whole flow, or 1 if it is 0"
)
def test_color_longest(lab):
    """without max_flow the longest motion of the whole batch is pure; where nothing moves all is white"""
    flow = torch.zeros(2, 2, 3, 4)
    flow[0, 0, 1, 2], flow[1, 0, 2, 1] = 2.0, 8.0  # to the right, in two pictures
    flow[1, 0, 1, 1] = 4.0
    flow[1, 0, 0, 0], flow[1, 1, 0, 3] = math.nan, math.inf  # not known: no longest motion either
    got = color_answer(lab, flow)
    assert tuple(got[1, 2, 1].tolist()) == (255, 0, 0), (
        f"the longest known motion should be pure red, not {tuple(got[1, 2, 1].tolist())}: without max_flow it is the "
        "longest length that is known (NaN and infinity are not)"
    )
    assert np.abs(got[1, 1, 1] - (255, 127.5, 127.5)).max() <= 1, (
        f"half of the longest motion should be (255, 128, 128), not {tuple(got[1, 1, 1].tolist())}"
    )
    assert tuple(got[0, 1, 2].tolist()) != (255, 0, 0), (
        "each picture of the batch was scaled by its own longest motion: one scale belongs to the whole batch, or "
        "pictures cannot be compared"
    )
    assert np.abs(got[0, 1, 2] - (255, 191.25, 191.25)).max() <= 1, (
        f"a quarter of the longest motion should be (255, 191, 191), not {tuple(got[0, 1, 2].tolist())}"
    )
    slanted = torch.tensor([3.0, 4.0]).reshape(2, 1, 1) * torch.tensor([1.0, 0.5, 0.25])  # (2, 1, 3)
    half, want = color_answer(lab, slanted)[0, 1], right_color(1.5, 2, 5)
    assert np.abs(half - want).max() <= 1.01, (
        f"the longest motion, (3, 4), is 5 long, so (1.5, 2) is half as strong: {tuple(round(c) for c in want)}, not "
        f"{tuple(half.tolist())}. The largest component is not the largest length"
    )
    tiny = color_answer(lab, slanted / 100)[0, 0]
    assert np.abs(tiny - right_color(3, 4, 5)).max() <= 0.51, (
        f"the longest motion is 0.05 pixels long, and is pure too; yours is {tuple(tiny.tolist())}: only where nothing "
        "moves at all is there no longest motion to divide by"
    )
    still = color_answer(lab, torch.zeros(2, 3, 4))
    assert (still == 255).all(), (
        f"where nothing moves the picture should be white; yours holds {tuple(still[0, 0].tolist())}"
    )


@exercise("flow_to_color", points=1, hint="known = np.isfinite(x) & np.isfinite(y); black where it is False.")
def test_color_unknown(lab):
    """a motion that is not known is black, and what is known beside it keeps its colour"""
    flow = torch.full((2, 3, 5), 2.0)
    flow[1] = 0
    flow[0, 0, 1], flow[1, 1, 2], flow[0, 2, 3], flow[1, 2, 4] = math.nan, math.nan, math.inf, -math.inf
    before = flow.clone()
    got = color_answer(lab, flow, "flow_to_color(a flow with NaN, max_flow=2)", max_flow=2.0)
    assert torch.equal(torch.nan_to_num(flow), torch.nan_to_num(before)), (
        "flow_to_color changed the flow that it was given: work on a copy"
    )
    for y, x, what in ((0, 1, "x is NaN"), (1, 2, "y is NaN"), (2, 3, "x is infinite"), (2, 4, "y is infinite")):
        assert (got[y, x] == 0).all(), f"a motion whose {what} should be black, not {tuple(got[y, x].tolist())}"
        got[y, x] = (255, 0, 0)
    assert (got == (255, 0, 0)).all(), "known motions beside unknown ones have lost their colour"


@exercise(
    "flow_to_color", points=1, hint="if flow.shape[-3] != 2: raise ValueError(...), and the same for max_flow <= 0"
)
def test_color_refuses_nonsense(lab):
    """what is not a flow, or a max_flow that is not above 0, is a ValueError that names it"""
    refuses("flow_to_color of a tensor (3, 4, 5)", "3, 4, 5", lab.flow_to_color, torch.zeros(3, 4, 5))
    refuses("flow_to_color of a tensor (4, 5)", "4, 5", lab.flow_to_color, torch.zeros(4, 5))
    refuses("flow_to_color of a tensor (4, 5, 2)", "4, 5, 2", lab.flow_to_color, torch.zeros(4, 5, 2))
    refuses("flow_to_color with max_flow=0", 0, lab.flow_to_color, torch.zeros(2, 4, 5), max_flow=0)
    refuses("flow_to_color with max_flow=-3", -3, lab.flow_to_color, torch.zeros(2, 4, 5), max_flow=-3)


# ---------------------------------------------------------------------------------------------- warp


def slow_warp(image, flow, sign=1, swap=False, places=None):
    """Oracle: one pixel after the other, in double precision. `places` changes how a place in pixels is read."""
    image, flow = image.double().numpy(), flow.double().numpy()
    batch, _, height, width = image.shape
    out = np.zeros_like(image)
    for b in range(batch):
        for y in range(height):
            for x in range(width):
                u, v = flow[b, :, y, x]
                u, v = (v, u) if swap else (u, v)
                px, py = x + sign * u, y + sign * v
                if places is not None:
                    px, py = places(px, width), places(py, height)
                px, py = min(max(px, 0), width - 1), min(max(py, 0), height - 1)
                x0, y0 = min(int(px), max(width - 2, 0)), min(int(py), max(height - 2, 0))
                x1, y1, a, c = min(x0 + 1, width - 1), min(y0 + 1, height - 1), px - x0, py - y0
                top = (1 - a) * image[b, :, y0, x0] + a * image[b, :, y0, x1]
                low = (1 - a) * image[b, :, y1, x0] + a * image[b, :, y1, x1]
                out[b, :, y, x] = (1 - c) * top + c * low
    return torch.from_numpy(out)


def warp_answer(lab, image, flow, said=None):
    said = said or f"warp(image {shape(image)}, flow {shape(flow)})"
    got = attempt(said, lab.warp, image, flow)
    assert torch.is_tensor(got), f"{said} returned {type(got).__name__}; a tensor is asked for"
    assert got.shape == image.shape, f"{said} should have the image's shape {shape(image)}, not {shape(got)}"
    assert got.dtype == image.dtype, f"{said} should have the image's dtype {image.dtype}, not {got.dtype}"
    return got


def same(a, b, tolerance=1e-3):
    return a.shape == b.shape and bool(torch.isfinite(a).all()) and (a.double() - b.double()).abs().max() < tolerance


def noise(seed, *size):
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@exercise("warp", points=2, hint="x = columns + flow[:, 0], y = rows + flow[:, 1]: the flow is added to the place.")
def test_warp_whole_pixels(lab, seed, look):
    """a flow of whole pixels fetches whole pixels: (2, -1) looks two columns to the right and one row up"""
    image = noise(seed, 2, 3, 6, 9)
    still = warp_answer(lab, image, torch.zeros(2, 2, 6, 9), "warp(image, no flow)")
    if not same(still, image):
        half = same(still, slow_warp(image, torch.zeros(2, 2, 6, 9), places=lambda p, n: p * n / max(n - 1, 1) - 0.5))
        pytest.fail(
            "without flow the image should come back unchanged, and yours is moved by up to half a pixel: the grid "
            "counts from the middle of the first pixel to the middle of the last (align_corners=True)"
            if half
            else "without flow the image should come back unchanged: are x and y of each pixel added to the flow?"
        )
    flow = torch.tensor([2.0, -1.0]).reshape(1, 2, 1, 1).expand(2, 2, 6, 9)
    got = warp_answer(lab, image, flow, "warp(image, flow (2, -1) everywhere)")
    want = slow_warp(image, flow)
    look(target=want[0][:, None].float(), yours=got[0][:, None].detach().float())
    inner = (..., slice(2, -2), slice(2, -2))
    assert not same(got[inner], slow_warp(image, flow, sign=-1)[inner]), (
        "the picture moved the wrong way: warp fetches from x + u, y + v; yours fetches from x - u, y - v"
    )
    assert not same(got[inner], slow_warp(image, flow, swap=True)[inner]), (
        "x and y are swapped: flow[:, 0] is the motion along x, the columns"
    )
    assert same(got[inner], want[inner]), (
        "with the flow (2, -1) the pixel at column x, row y should be the image's at column x + 2, row y - 1; "
        "yours is not"
    )


@exercise(
    "warp", points=2, hint='F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)'
)
def test_warp_between_pixels(lab, seed):
    """between pixels the four around the place are mixed, by how near they are"""
    image = noise(seed, 2, 3, 7, 10)
    flow = 0.9 * noise(seed + 1, 2, 2, 7, 10)
    want, kept = slow_warp(image, flow), (image.clone(), flow.clone())
    got = warp_answer(lab, image, flow)
    assert torch.equal(image, kept[0]) and torch.equal(flow, kept[1]), "warp changed the image or the flow it was given"
    inner = (..., slice(1, -1), slice(1, -1))
    assert not same(got[inner], slow_warp(image, flow, places=lambda p, n: float(round(p)))[inner]), (
        "each place takes its nearest pixel; between pixels the four around it should be mixed bilinearly"
    )
    off = (got.double() - want)[inner].abs().max().item()
    assert off < 1e-3, f"away from the border, warp is off by up to {off:.3f}: mix the four pixels bilinearly"


@exercise("warp", points=1, hint='padding_mode="border"')
def test_warp_border(lab, seed):
    """a place outside the picture takes the nearest pixel of the border"""
    image, flow = noise(seed, 2, 3, 5, 8) + 2, 6 * noise(seed + 1, 2, 2, 5, 8)
    got, want = warp_answer(lab, image, flow), slow_warp(image, flow)
    outside = ~points_inside(flow)  # (2, 1, 5, 8)
    wrong = ((got.double() - want).abs() > 1e-3) & outside
    assert not (wrong & (got.abs() < 1e-6)).any(), (
        "places outside the picture are black (zero); they should take the nearest border pixel"
    )
    assert not wrong.any(), "places outside the picture should take the nearest pixel of the border; yours do not"
    assert same(got, want), f"warp is off by up to {(got.double() - want).abs().max():.3f} at places inside the picture"


@exercise("warp", points=1, hint="Every image of the batch has its own flow; every pixel has its own vector.")
def test_warp_each_its_own(lab, seed):
    """changing one vector changes one pixel, in one image of the batch"""
    image, flow = noise(seed, 3, 2, 5, 7), 0.5 * noise(seed + 1, 3, 2, 5, 7)
    before = warp_answer(lab, image, flow).clone()
    changed = flow.clone()
    changed[1, :, 2, 4] += 1.3
    moved = (warp_answer(lab, image, changed) - before).abs().amax(dim=1) > 1e-5  # (3, 5, 7)
    others = moved.clone()
    others[1, 2, 4] = False
    assert moved[1, 2, 4], "one vector of the flow was changed, and the pixel that it belongs to did not"
    assert not others.any(), (
        f"the vector at row 2, column 4 of image 1 was changed, and pixels elsewhere moved: (image, row, column) "
        f"{others.nonzero()[:3].tolist()}"
    )


@exercise("warp", points=1, hint="No .detach(), no numpy, no .round() on the way.")
def test_warp_gradient(lab):
    """the result is differentiable in the image and in the flow"""
    ramp = (torch.arange(8) * 0.25).expand(1, 1, 5, 8).clone().requires_grad_()  # slope 0.25 along x
    flow = torch.full((1, 2, 5, 8), 0.3).requires_grad_()
    out = warp_answer(lab, ramp, flow)
    assert out.requires_grad, "the result does not depend on its inputs for autograd: stay in torch, and do not detach"
    into_image, into_flow = torch.autograd.grad(out[..., :-1, :-1].sum(), (ramp, flow), allow_unused=True)
    assert into_image is not None, "no gradient reaches the image"
    assert into_flow is not None, "no gradient reaches the flow"
    assert abs(into_image.sum().item() - 28) < 1e-2, (
        "28 pixels were summed up, so the image's gradient should sum to 28"
    )
    slopes = into_flow[0, :, :-1, :-1]
    assert (slopes[0] - 0.25).abs().max() < 1e-3 and slopes[1].abs().max() < 1e-3, (
        "on a ramp of slope 0.25 along x the gradient in the flow should be 0.25 in x and 0 in y; it is "
        f"{slopes[0].mean():.3f} and {slopes[1].mean():.3f}"
    )


@exercise("warp", points=1, hint="2 * x / max(width - 1, 1) - 1; and keep the image's dtype.")
def test_warp_sizes_and_dtype(lab, seed):
    """float64 stays float64 and exact; a picture one pixel wide works too"""
    image, flow = noise(seed, 1, 2, 4, 5).double(), 2 * noise(seed + 1, 1, 2, 4, 5).double()
    got = warp_answer(lab, image, flow, "warp(a float64 image, a float64 flow)")
    assert got.dtype == torch.float64, f"a float64 image should stay float64, it became {got.dtype}"
    assert same(got, slow_warp(image, flow), 1e-9), "a float64 image lost its precision on the way"
    image, flow = noise(seed, 2, 3, 5, 1), 2 * noise(seed + 1, 2, 2, 5, 1)
    got = warp_answer(lab, image, flow)
    assert torch.isfinite(got).all(), "a picture one pixel wide gives NaN: width - 1 is 0 there, do not divide by it"
    assert same(got, slow_warp(image, flow)), "a picture one pixel wide is warped wrongly"


@exercise("warp", points=1, hint="Compare flow.shape with (batch, 2, height, width).")
def test_warp_refuses_nonsense(lab):
    """an image or a flow of another shape is a ValueError that names it"""
    image = torch.zeros(2, 3, 4, 5)
    for flow in ((2, 2, 5, 4), (2, 3, 4, 5), (1, 2, 4, 5), (2, 4, 5)):
        said = f"warp of an image (2, 3, 4, 5) by a flow {flow}"
        refuses(said, ", ".join(map(str, flow)), lab.warp, image, torch.zeros(flow))
    refuses("warp of an image (3, 4, 5)", "3, 4, 5", lab.warp, image[0], torch.zeros(3, 2, 4, 5))


# ---------------------------------------------------------------------------------------------- end_point_error


def error_answer(lab, flow, target, said=None, **options):
    said = said or f"end_point_error(flow {shape(flow)}, target {shape(target)})"
    got = attempt(said, lab.end_point_error, flow, target, **options)
    want = tuple(flow.shape[:-3])
    assert torch.is_tensor(got), f"{said} returned {type(got).__name__}; a tensor is asked for"
    assert got.shape == want, f"{said} should have shape {want}, one number a flow, not {shape(got)}"
    return got


@exercise("end_point_error", points=2, hint="Root of the sum of squares at each pixel, then the mean.")
def test_error_known(lab):
    """off by (3, 4) is off by 5 pixels; no flow at all is off by the mean length"""
    target = torch.zeros(2, 5, 6)
    flow = target + torch.tensor([3.0, -4.0]).reshape(2, 1, 1)
    got = float(error_answer(lab, flow, target, "end_point_error(off by (3, -4) everywhere)"))
    known = {
        7.0: "those are the lengths of the components added up; the distance is the root of the sum of their squares",
        3.5: "that is the mean of the two components; the distance is the root of the sum of their squares",
        25.0: "that is the square: take the root",
        12.5: "that is a mean over both channels too: sum the squares of x and y, then take the root",
        math.sqrt(12.5): "that is a mean over both channels: sum the squares of x and y, do not average them",
        0.5: "the components cancel: square them first",
        1.0: "the components cancel: square them first",
        150.0: "that is the sum over the pixels: take the mean",
        3.5 * math.sqrt(5): "the squares were summed along the rows: x and y lie on axis -3, in a batch or not",
    }
    for value, message in known.items():
        assert abs(abs(got) - value) > 1e-4, (
            f"off by (3, -4) everywhere is an error of 5 pixels, not {got:.2f}: {message}"
        )
    assert abs(got - 5) < 1e-4, f"off by (3, -4) everywhere is an error of 5 pixels, not {got:.4f}"
    target[0, 1, 2] = 12.0
    got = float(error_answer(lab, 0 * target, target, "end_point_error(no flow, one of 30 pixels moves by 12)"))
    assert abs(got - math.sqrt(4.8)) > 1e-3, (
        "if one of 30 pixels moves by 12, the mean is 0.4; 2.19 is the root of the mean square. The root belongs to "
        "each pixel, before the mean"
    )
    assert abs(got - 0.4) < 1e-4, f"if one of 30 pixels moves by 12, the mean is 0.4, not {got:.4f}"


@exercise("end_point_error", points=2, hint="Sum along the channel axis, -3; mean over the last two.")
def test_error_formula(lab, seed):
    """the mean distance, for a flow and for each flow of a batch, in float32 at least"""
    flow, target = 3 * noise(seed, 4, 2, 5, 7), 3 * noise(seed + 1, 4, 2, 5, 7)
    got = error_answer(lab, flow, target)
    for b in range(4):
        pixels = [(y, x) for y in range(5) for x in range(7)]
        want = sum(math.dist(flow[b, :, y, x].tolist(), target[b, :, y, x].tolist()) for y, x in pixels) / 35
        alone = float(error_answer(lab, flow[b], target[b]))
        assert abs(alone - want) < 1e-4, f"the error should be {want:.4f}, not {alone:.4f}"
        assert abs(got[b].item() - want) < 1e-4, (
            f"flow {b} of a batch of 4 has the error {want:.4f}; in the batch you return {got[b].item():.4f}"
        )
    far = error_answer(lab, torch.full((2, 3, 4), 300.0).half(), torch.zeros(2, 3, 4).half())
    assert far.dtype == torch.float32 and abs(far.item() - 424.264) < 0.1, (
        f"a float16 flow that is off by (300, 300) has an error of 424.3 in float32; you return {far.item():.1f} in "
        f"{far.dtype}. The square of 300 does not fit into 16 bits"
    )
    assert error_answer(lab, flow.double(), target.double()).dtype == torch.float64, (
        "a float64 flow should stay float64"
    )


@exercise("end_point_error", points=2, hint="torch.where(valid, error, 0).sum(dim=(-2, -1)) / valid.sum(dim=(-2, -1))")
def test_error_valid(lab, seed):
    """only valid pixels count, each flow of a batch with its own number of them"""
    flow, target = noise(seed, 3, 2, 4, 6), noise(seed + 1, 3, 2, 4, 6)
    valid = torch.zeros(3, 4, 6, dtype=torch.bool)
    valid[0, 0, :2], valid[1, 1:3], valid[2] = True, True, True
    flow[0, 0, 3, 3], target[0, 1, 2, 2], flow[1, :, 0], target[1, :, 3] = math.nan, math.nan, 1e6, math.inf
    got = error_answer(lab, flow, target, "end_point_error(..., valid=valid)", valid=valid)
    assert not torch.isnan(got).any(), (
        "a pixel that is not valid holds NaN, and your error is NaN: NaN times 0 is NaN, so choose with torch.where"
    )
    for b in range(3):
        ends = [(flow[b, :, y, x].tolist(), target[b, :, y, x].tolist()) for y, x in valid[b].nonzero().tolist()]
        want = sum(math.dist(a, c) for a, c in ends) / len(ends)
        diluted = want * len(ends) / 24
        assert b == 2 or abs(got[b].item() - diluted) > 1e-5, (
            f"the mean is over the {len(ends)} valid pixels of flow {b}: {want:.4f}. You return {got[b].item():.4f}, "
            "which is the sum over valid pixels divided by the number of all pixels"
        )
        assert abs(got[b].item() - want) < 1e-4, (
            f"flow {b} has {len(ends)} valid pixels with a mean error of {want:.4f}; you return {got[b].item():.4f}"
        )
    alone = float(error_answer(lab, flow[0], target[0], "end_point_error(one flow, valid=(H, W))", valid=valid[0]))
    assert abs(alone - got[0].item()) < 1e-5, f"flow 0 has the error {got[0]:.4f} in the batch and {alone:.4f} alone"


@exercise("end_point_error", points=1, hint="Check the shapes first, then that every flow has a valid pixel.")
def test_error_refuses_nonsense(lab):
    """shapes that do not fit, or nothing valid, are a ValueError: no broadcasting, no NaN"""
    flow = torch.zeros(3, 2, 4, 5)
    refuses("end_point_error of a flow (3, 2, 4, 5) and a target (1, 2, 4, 5)", "1, 2, 4, 5", lab.end_point_error, flow,
            flow[:1])  # fmt: skip
    refuses(
        "end_point_error of two tensors (3, 3, 4, 5)", "3, 3, 4, 5", lab.end_point_error, *torch.zeros(2, 3, 3, 4, 5)
    )
    refuses("end_point_error of two tensors (2, 5)", "2, 5", lab.end_point_error, *torch.zeros(2, 2, 5))
    valid = torch.ones(3, 4, 5, dtype=torch.bool)
    refuses("end_point_error with a valid mask (4, 5) for three flows", "4, 5", lab.end_point_error, flow, flow,
            valid=valid[0])  # fmt: skip
    valid[1] = False
    refuses("end_point_error of a batch in which flow 1 has no valid pixel", None, lab.end_point_error, flow, flow,
            valid=valid)  # fmt: skip


# ---------------------------------------------------------------------------------------------- lucas_kanade_step


def waves(seed, batch, channels, height, width, dtype=torch.float32):
    """Smooth pictures in [-1, 1] with slopes of all directions, different in each channel."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    k = 0.7 * torch.rand(2, batch, channels, 6, 1, 1, generator=generator).double() - 0.35
    phase = 7 * torch.rand(batch, channels, 6, 1, 1, generator=generator).double()
    return (torch.cos(k[0] * x + k[1] * y + phase).mean(dim=2)).to(dtype)


def slow_step(first, second, window, damping, mistake=None, valid=None):
    """Oracle in numpy: the least squares problem of each window, solved. NaN where a window leaves the picture."""
    first, second = first.double().numpy(), second.double().numpy()
    valid = np.ones_like(first[:, :1], dtype=bool) if valid is None else valid.numpy()
    average = {"first": first, "second": second}.get(mistake, (first + second) / 2)
    dx, dy = np.zeros_like(first), np.zeros_like(first)
    half = 1 if mistake == "half" else 2
    dx[..., 1:-1] = (average[..., 2:] - average[..., :-2]) / half
    dy[..., 1:-1, :] = (average[..., 2:, :] - average[..., :-2, :]) / half
    for slope, along in ((dx, average), (dy.swapaxes(2, 3), average.swapaxes(2, 3))):  # border pixels repeated outside
        rim = 1 if mistake == "one-sided" else half
        slope[..., 0] = (along[..., 1] - along[..., 0]) / rim
        slope[..., -1] = (along[..., -1] - along[..., -2]) / rim
    if mistake == "forward":
        dx = np.diff(average, axis=3, append=average[..., -1:])
        dy = np.diff(average, axis=2, append=average[..., -1:, :])
    dt = first - second if mistake == "sign" else second - first
    if mistake == "axes":
        dx, dy = dy, dx
    radius = window // 2
    weight = np.exp(-8 * (np.arange(-radius, radius + 1) / window) ** 2)
    weight = np.ones(window) if mistake == "box" else weight
    weight = np.outer(weight, weight) / weight.sum() ** 2
    if mistake == "no window":
        weight = np.zeros_like(weight)
        weight[radius, radius] = 1
    if mistake == "one channel":
        dx, dy, dt = dx[:, :1], dy[:, :1], dt[:, :1]
    scale = first.shape[1] if mistake == "sum" else 1
    damping = 0 if mistake == "no damping" else damping

    def windows(maps):
        """`(B, C, H, W)` -> `(B, C, h, w, window, window)`: what lies around each pixel `radius` from the border."""
        return np.lib.stride_tricks.sliding_window_view(maps, (window, window), axis=(2, 3))

    here = weight * windows(valid)
    gx, gy, gt = windows(dx), windows(dy), windows(dt)
    if mistake == "means":
        gx, gy, gt = ((weight * g).sum(axis=(4, 5), keepdims=True) * np.ones_like(g) for g in (gx, gy, gt))
    if mistake == "mean channel":
        gx, gy, gt = (g.mean(axis=1, keepdims=True) for g in (gx, gy, gt))
    xx, xy, yy, xt, yt = (scale * np.einsum("bchwij,bchwij->bchw", here * p, q).mean(axis=1)
                          for p, q in ((gx, gx), (gx, gy), (gy, gy), (gx, gt), (gy, gt)))  # fmt: skip
    xy = {"no cross": 0 * xy, "damping everywhere": xy + damping}.get(mistake, xy)
    top, low = (xx, yy) if mistake == "damped determinant" else (xx + damping, yy + damping)  # the diagonal
    determinant = {
        "undamped determinant": xx * yy - xy * xy,
        "damped determinant": xx * yy - xy * xy + damping,
        "plus": top * low + xy * xy,
    }.get(mistake, top * low - xy * xy)
    with np.errstate(all="ignore"):
        u, v = (xy * yt - low * xt) / determinant, (xy * xt - top * yt) / determinant
        if mistake == "normal":
            u, v = -xt / (xx + yy + damping), -yt / (xx + yy + damping)
    out = np.full((len(first), 2, *first.shape[2:]), np.nan)
    out[..., radius : first.shape[2] - radius, radius : first.shape[3] - radius] = np.stack([u, v], axis=1)
    return torch.from_numpy(out)


def wanted_step(got, first, second, **options):
    """The oracle's motion, by the slopes at the border that `got` has: half as steep, or one-sided, which will do."""
    motions = [slow_step(first, second, mistake=way, **options) for way in (None, "one-sided")]
    return min(motions, key=lambda motion: (got - motion).nan_to_num().abs().max())


MISTAKES = {
    "sign": "the motion points backward: dt is second - first, and the right side has a minus",
    "axes": "dx and dy are swapped: dx is the slope along x, the last axis",
    "half": "the slopes are twice as steep as they are: neighbours x + 1 and x - 1 are two pixels apart, divide by 2",
    "first": "the slopes are taken in the first picture alone; they belong to the average of the two pictures",
    "second": "the slopes are taken in the second picture alone; they belong to the average of the two pictures",
    "no window": "each pixel was solved alone: average the five products over the window first",
    "means": "the slopes were averaged before they were multiplied: the window averages the products",
    "box": "all pixels of the window weigh the same; window_average weighs the middle most",
    "one channel": "only the first channel was used: the mean over all channels belongs in every product",
    "mean channel": "the channels were averaged before the products, where their slopes cancel: average the products",
    "sum": "the products are summed over the channels; their mean is asked for (damping is weaker otherwise)",
    "no damping": "damping is not used: it belongs on both entries of the diagonal",
    "undamped determinant": "the determinant was computed without damping: add damping first",
    "damped determinant": "damping was added to the determinant: it belongs on both entries of the diagonal",
    "damping everywhere": "damping was added to all four entries: it belongs on the two of the diagonal alone",
    "plus": "the determinant has the wrong sign inside: it is <dx dx> <dy dy> minus <dx dy> squared",
    "no cross": "<dx dy> is missing: without it the two axes are solved each by itself",
    "forward": "the slopes reach one pixel to one side only: take the pixels on both sides, and halve the difference",
    "normal": "only the motion along the mean slope was solved for; both equations together give u and v",
}


def step_answer(lab, first, second, **options):
    said = ", ".join([f"lucas_kanade_step(pictures {shape(first)}", *(f"{k}={v}" for k, v in options.items())]) + ")"
    got = attempt(said, lab.lucas_kanade_step, first, second, **options)
    assert torch.is_tensor(got), f"{said} returned {type(got).__name__}; a tensor is asked for"
    want = (first.shape[0], 2, *first.shape[-2:])
    assert got.shape == want, f"{said} should have shape {want}, not {shape(got)}"
    return got


@exercise(
    "lucas_kanade_step", points=4, hint="Products first, window_average of the products second, 2 × 2 inverse third."
)
def test_step_formula(lab, seed):
    """inside the picture: the least squares motion of each window"""
    first = waves(seed, 2, 3, 15, 18)
    second = first + 0.8 * waves(seed + 50, 2, 3, 15, 18)
    for window, damping in ((5, 0.02), (9, 0.003)):
        got = step_answer(lab, first, second, window=window, damping=damping)
        want = wanted_step(got, first, second, window=window, damping=damping)
        known = ~torch.isnan(want)
        close = 1e-3 * (1 + want[known].abs())
        assert torch.isfinite(got).all(), "the motion holds NaN or infinity: is damping on the diagonal?"
        if ((got[known] - want[known]).abs() <= close).all():
            continue
        if same(got[:, [1, 0]][known], want[known], 1e-2):
            pytest.fail("u and v are swapped in the result: u, along x, comes first")
        if same((got * torch.tensor([1, -1])[:, None, None])[known], want[known], 1e-2):
            pytest.fail("v has the wrong sign: y points down, so dy is the row below minus the row above")
        if same((got * torch.tensor([-1, 1])[:, None, None])[known], want[known], 1e-2):
            pytest.fail("u has the wrong sign: dx is the column to the right minus the column to the left")
        for mistake, message in MISTAKES.items():
            other = slow_step(first, second, window, damping, mistake)[known]
            if ((got[known] - other).abs() <= 1e-3 * (1 + other.abs())).all():
                pytest.fail(message)
        deep = known & ~torch.isnan(slow_step(first, second, window + 2, damping))
        if ((got[deep] - want[deep]).abs() <= 1e-3 * (1 + want[deep].abs())).all():
            pytest.fail("right inside, wrong where a slope meets the border: outside, border pixels are repeated")
        off = (got[known] - want[known]).abs().max().item()
        pytest.fail(f"with window={window}, damping={damping} the motion is off by up to {off:.3f} pixels")


@exercise(
    "lucas_kanade_step",
    points=2,
    hint="Minus in front of the right side: brightness that moves right leaves on the left.",
)
def test_step_small_motion(lab, seed):
    """a texture that moves by a fraction of a pixel: the motion comes out"""
    for shift in ((0.4, -0.25), (-0.3, 0.0), (0.1, 0.45)):
        scene = flow_scene(40, 54, Motion(shift=shift), finest=12, generator=torch.Generator().manual_seed(seed))
        got = step_answer(lab, scene.first, scene.second)[0, :, 8:-8, 8:-8].mean(dim=(1, 2))
        u, v = got.tolist()
        said = f"a texture moves by {shift}; you find ({u:.2f}, {v:.2f})"
        truth = torch.tensor(shift)
        assert not (same(got, -truth, 0.08) and truth.norm() > 0.2), f"{said}: the motion points backward"
        assert not (same(got, truth.flip(0), 0.08) and abs(shift[0] - shift[1]) > 0.2), f"{said}: u and v are swapped"
        assert same(got, truth, 0.08), said


@exercise("lucas_kanade_step", points=2, hint="damping keeps the determinant above zero; nothing else is needed.")
def test_step_aperture(lab):
    """no texture, no motion; stripes show only the motion across them"""
    grey = torch.full((1, 2, 20, 24), 0.4)
    got = step_answer(lab, grey, grey + 0.1)
    assert torch.isfinite(got).all(), "two flat pictures give NaN or infinity: damping belongs on the diagonal"
    assert got.abs().max() < 1e-4, f"flat pictures show no motion; you find up to {got.abs().max():.3f} pixels"
    x = torch.arange(40) * 0.5
    first, second = (torch.sin(x - s).expand(1, 1, 30, 40) for s in (0.0, 0.2))  # 0.2 rad is 0.4 pixels
    for name, a, b in (("upright", first, second), ("level", first.mT, second.mT)):
        u, v = step_answer(lab, a, b)[0, :, 8:-8, 8:-8].mean(dim=(1, 2)).tolist()
        along, across = (v, u) if name == "upright" else (u, v)
        assert abs(across - 0.4) < 0.05 and abs(along) < 0.01, (
            f"{name} stripes move by 0.4 pixels across; along them nothing can be seen. You find "
            f"{across:.2f} across and {along:.2f} along"
        )


@exercise("lucas_kanade_step", points=1, hint="Each sample is its own; each window reaches window // 2 + 1 pixels.")
def test_step_local(lab, seed):
    """a change far away, or in another picture of the batch, changes nothing here; float64 stays"""
    first, second = waves(seed, 3, 2, 19, 28), waves(seed + 9, 3, 2, 19, 28)
    before = step_answer(lab, first, second, window=5).clone()
    changed = second.clone()
    changed[1, :, 9, 14] += 1.0
    moved = (step_answer(lab, first, changed, window=5) - before).abs().amax(dim=1) > 1e-5  # (3, 19, 28)
    assert not moved[[0, 2]].any(), "one picture of the batch was changed, and the motion of another one moved"
    rows, columns = moved[1].nonzero().T
    assert len(rows), "one pixel of the second picture was changed, and no motion did"
    reach = max((rows - 9).abs().max().item(), (columns - 14).abs().max().item())
    assert reach <= 3, f"with window=5 a pixel reaches 3 pixels far (2 of the window, 1 of the slope); yours {reach}"
    assert moved[1, 7, 12], "with window=5 a pixel reaches the corner of its window; yours reaches less far"
    double = step_answer(lab, first.double(), second.double())
    assert double.dtype == torch.float64, f"float64 pictures should give a float64 motion, not {double.dtype}"


@exercise("lucas_kanade_step", points=2, hint="products = products * valid, before window_average")
def test_step_valid(lab, seed):
    """pixels that are not valid have no say in any window, and nothing valid is no motion"""
    first = waves(seed, 2, 3, 15, 20)
    second = first + 0.3 * waves(seed + 50, 2, 3, 15, 20)
    valid = torch.ones(2, 1, 15, 20, dtype=torch.bool)
    valid[0, :, :, 11:], valid[1, :, :8] = False, False
    options = {"window": 5, "damping": 0.02}
    got = step_answer(lab, first, second, valid=valid, **options)
    want = wanted_step(got, first, second, **options, valid=valid)
    known = ~torch.isnan(want)
    whole = step_answer(lab, first, second, **options)
    assert not same(got, whole, 1e-6), "with and without valid the motion is the same: valid is not used"
    changed = second.clone()
    changed[0, :, :, 13:] = 0.9
    after = step_answer(lab, first, changed, valid=valid, **options)
    assert same(after[0], got[0], 1e-5), (
        "pixels far inside the part that is not valid were changed, and a motion moved: set the five products to zero "
        "there, before window_average"
    )
    assert same(got[known], want[known], 1e-3 * (1 + want[known].abs().max().item())), (
        "with valid, the motion is wrong: the five products are zero where a pixel is not valid, and the window "
        f"averages what is left; yours is off by up to {(got - want)[known].abs().max():.3f} pixels"
    )
    nothing = step_answer(lab, first, second, valid=valid & False, **options)
    assert nothing.abs().max() < 1e-6, "where nothing is valid there is no motion; yours finds one"


@exercise(
    "lucas_kanade_step", points=1, hint="if first.ndim != 4 or first.shape != second.shape: raise ValueError(...)"
)
def test_step_refuses_nonsense(lab):
    """pictures of different shapes, or not (B, C, H, W), are a ValueError"""
    a = torch.zeros(2, 3, 16, 18)
    refuses("lucas_kanade_step of (2, 3, 16, 18) and (1, 3, 16, 18)", "1, 3, 16, 18", lab.lucas_kanade_step, a, a[:1])
    refuses("lucas_kanade_step of two pictures (3, 16, 18)", "3, 16, 18", lab.lucas_kanade_step, a[0], a[0])


# ---------------------------------------------------------------------------------------------- lucas_kanade


def flow_answer(lab, first, second, **options):
    said = ", ".join([f"lucas_kanade(pictures {shape(first)}", *(f"{k}={v}" for k, v in options.items())]) + ")"
    got = attempt(said, lab.lucas_kanade, first, second, **options)
    assert torch.is_tensor(got), f"{said} returned {type(got).__name__}; a tensor is asked for"
    want = (first.shape[0], 2, *first.shape[-2:])
    assert got.shape == want, f"{said} should have shape {want}, as large as the pictures, not {shape(got)}"
    assert torch.isfinite(got).all(), f"{said} holds NaN or infinity"
    return got


def distance(flow, scene):
    """Oracle of the error: mean distance over the visible pixels."""
    return (flow - scene.flow).square().sum(dim=1).sqrt()[scene.visible].mean().item()


def moving(seed, shift=(0.0, 0.0), size=(40, 54), finest=8.0, **motion):
    generator = torch.Generator().manual_seed(seed)
    return flow_scene(*size, Motion(shift=shift, **motion), finest=finest, generator=generator)


def as_clip(flow):
    """A flow `(1, 2, H, W)` to look at, whatever the learner's colours are: x in red, y in green."""
    return torch.cat([flow[0].detach() / 5, torch.zeros_like(flow[0, :1])])[:, None].clamp(-1, 1)


@exercise(
    "lucas_kanade",
    points=2,
    needs=("warp", "lucas_kanade_step"),
    hint="flow starts at zero; flow = flow + lucas_kanade_step(first, warped)",
)
def test_flow_one_level(lab, seed):
    """at one level: a step, then a warp and another step, which is added"""
    scene = moving(seed, (1.4, -0.9))
    first, second = scene.first, scene.second
    options = {"window": 9, "damping": 0.004}
    step = attempt("lucas_kanade_step", lab.lucas_kanade_step, first, second, **options)
    got = flow_answer(lab, first, second, num_levels=1, num_iterations=1, **options)
    assert not same(got, -step), "the flow points backward: it leads from the first picture to the second"
    assert same(got, step, 5e-3), (
        "with num_levels=1 and num_iterations=1 the flow should be one lucas_kanade_step from the first picture to the "
        "second, with the given window and damping; yours is not"
    )
    again = attempt("warp", lab.warp, second, step)
    unmasked = attempt("lucas_kanade_step", lab.lucas_kanade_step, first, again, **options)
    more = lab.lucas_kanade_step(first, again, valid=points_inside(step), **options)
    got = flow_answer(lab, first, second, num_levels=1, num_iterations=2, **options)
    assert not same(got, step, 5e-3), "num_iterations=2 gives what num_iterations=1 gives: the second step is missing"
    assert not same(got, more, 5e-3), "the second step replaced the flow; it should be added to it"
    still = lab.lucas_kanade_step(first, second, valid=points_inside(step), **options)
    assert not same(got, 2 * step, 5e-3) and not same(got, step + still, 5e-3), (
        "the second step is the first one again: warp the second picture by the flow found so far before each step"
    )
    assert not same(got, step + unmasked, 5e-3) or same(unmasked, more, 5e-3), (
        "pixels whose flow points out of the picture are compared with the repeated border: pass "
        "valid=points_inside(flow) to the step"
    )
    both = step + more
    assert same(got, both, 5e-3), (
        "with two iterations the flow should be the first step plus a step from the first picture to the second one "
        "warped by the first step, valid where points_inside; yours is off by up to "
        f"{(got - both).abs().max():.2f} pixels"
    )
    third = lab.lucas_kanade_step(first, lab.warp(second, both), valid=points_inside(both), **options)
    got = flow_answer(lab, first, second, num_levels=1, num_iterations=3, **options)
    twice = lab.lucas_kanade_step(first, lab.warp(again, more), valid=points_inside(both), **options)
    assert (got - both - third).abs().mean() < (got - both - twice).abs().mean(), (
        "the third step starts from a picture that was warped twice: warp the second picture itself, by the whole flow "
        "found so far"
    )
    scene, options = moving(seed + 1, (0.4, -0.3), size=(28, 38)), {"window": 9, "damping": 0.05}
    first, second = scene.first, scene.second
    step = lab.lucas_kanade_step(first, second, **options)
    more = lab.lucas_kanade_step(first, lab.warp(second, step), valid=points_inside(step), **options)
    got = flow_answer(lab, first, second, num_levels=1, num_iterations=2, **options)
    assert same(got, step + more, 5e-3), (
        "a motion below a pixel, damping=0.05, two iterations: the second step is missing or another one. "
        "num_iterations counts the steps, also where the last one was small"
    )


@exercise(
    "lucas_kanade",
    points=3,
    needs=("warp", "lucas_kanade_step"),
    hint="Is the flow multiplied when it is enlarged? Is it added up?",
)
def test_flow_exact_scenes(lab, seed, look):
    """scenes with known flow up to 4 pixels: far below half the error of no flow"""
    scenes = {
        "a shift by (3.2, -2.4)": (moving(seed, (3.2, -2.4), size=(34, 46)), 0.12),
        "a turn by 6 degrees": (moving(seed + 1, turn=6.0, size=(34, 46)), 0.12),
        "a zoom by 1.1": (moving(seed + 2, zoom=1.1, size=(34, 46)), 0.12),
    }
    for name, (scene, enough) in scenes.items():
        got = flow_answer(lab, scene.first, scene.second, num_levels=3, num_iterations=3)
        error, nothing = distance(got, scene), distance(torch.zeros_like(got), scene)
        look(target=as_clip(scene.flow), yours=as_clip(got))
        backward = distance(-got, scene)
        assert not (backward < error and backward < nothing / 2), f"{name}: the flow points backward"
        assert error < nothing / 2, (
            f"{name}: your end-point error is {error:.2f} pixels; no flow at all has {nothing:.2f}. "
            "At most half is asked for"
        )
        assert error < enough, (
            f"{name}: your end-point error is {error:.2f} pixels, where {enough} can be had: is every level corrected "
            "num_iterations times, and is only points_inside valid?"
        )


@exercise(
    "lucas_kanade",
    points=3,
    needs=("warp", "lucas_kanade_step"),
    hint="F.interpolate(flow, size=...) * (new size / old size)",
)
def test_flow_long_motion(lab, seed):
    """a motion of 10 pixels needs the small sizes; sizes need not be even"""
    scene = moving(seed, (8.0, -6.0), size=(49, 67), finest=10)
    error = distance(flow_answer(lab, scene.first, scene.second), scene)
    assert error < 0.4, (
        f"a shift by 10 pixels: your error with 4 levels is {error:.2f} pixels, where 0.4 can be had. When the flow is "
        "enlarged to the next size its vectors grow too, and every level starts from the flow of the one below"
    )
    fine = moving(seed, (8.0, -6.0))  # waves of 8 pixels: at the full size alone, nobody can follow 10 pixels
    alone = distance(flow_answer(lab, fine.first, fine.second, num_levels=1), fine)
    assert alone > 0.7, (
        f"a shift by 10 pixels with num_levels=1: your error is {alone:.2f} pixels, but the full size alone cannot see "
        "that far. Is num_levels used?"
    )


@exercise(
    "lucas_kanade",
    points=2,
    needs=("warp", "lucas_kanade_step"),
    hint="A picture twice as large has motions twice as long.",
)
def test_flow_levels(lab, seed):
    """from the smaller size to the next: the flow is enlarged, its vectors grow, then it is corrected"""
    scene = moving(seed, (3.2, -2.4), size=(48, 66))
    first, second = scene.first, scene.second
    small = attempt("lucas_kanade_step", lab.lucas_kanade_step, halve(first), halve(second))
    large = F.interpolate(small, size=(48, 66), mode="bilinear")

    def corrected(flow):
        return flow + lab.lucas_kanade_step(first, lab.warp(second, flow), valid=points_inside(flow))

    got = flow_answer(lab, first, second, num_levels=2, num_iterations=1)
    off = {scale: (got - corrected(scale * large)).abs().mean().item() for scale in (2, 1, 0.5)}
    assert off[2] < 0.1 or min(off.values()) > 0.1, (
        "the flow of the small pictures was enlarged, and its vectors were not made twice as long: in a picture "
        "twice as wide every motion is twice as long"
    )
    assert off[2] < 0.1 or (got - 2 * large).abs().mean() > 0.01, (
        "the full size is not corrected: after the flow is enlarged, steps belong at this size too"
    )
    swapped = (got - corrected(2 * large.flip(1))).abs().mean().item()
    assert off[2] < 0.1 or swapped > 0.1, "x and y changed places when the flow was enlarged"
    anew = (got - corrected(0 * large)).abs().mean().item()
    assert anew > off[2], "the full size starts from zero: it should start from the flow of the smaller pictures"
    assert off[2] < 0.1, (
        "with two levels and one iteration: one step between the halved pictures, enlarged, its vectors doubled, then "
        f"one more step at the full size. Yours is {off[2]:.2f} pixels off on average"
    )
    far = moving(seed, (9.6, -7.2), size=(48, 64), finest=24)  # out of reach of the halved pictures
    pictures, flow = [(far.first, far.second)], torch.zeros(1, 2, 12, 16)
    pictures += [tuple(map(halve, pictures[-1]))]
    pictures += [tuple(map(halve, pictures[-1]))]
    for a, b in reversed(pictures):
        flow = (2 if a.shape[-1] > 16 else 1) * F.interpolate(flow, size=a.shape[-2:], mode="bilinear")
        flow = flow + lab.lucas_kanade_step(a, lab.warp(b, flow), valid=points_inside(flow))
    off = (flow_answer(lab, far.first, far.second, num_levels=3, num_iterations=1) - flow).abs().mean().item()
    assert off < 0.3, (
        "with three levels the pictures are halved twice, each from the one before, and a step is taken at each size; "
        f"yours is {off:.2f} pixels off on average"
    )


@exercise(
    "lucas_kanade",
    points=1,
    needs=("warp", "lucas_kanade_step"),
    hint="The loop over num_iterations stands inside the loop over the levels.",
)
def test_flow_iterates_at_each_level(lab, seed):
    """num_iterations steps at every level, none more, none less"""
    scene = moving(seed, (6.4, -4.8), size=(48, 66), finest=10)

    def corrected(flow, first, second):
        return flow + lab.lucas_kanade_step(first, lab.warp(second, flow), valid=points_inside(flow))

    got = flow_answer(lab, scene.first, scene.second, num_levels=2, num_iterations=2)
    small, off = torch.zeros(1, 2, 24, 33), {}
    for small_times in (1, 2, 3):
        small = corrected(small, halve(scene.first), halve(scene.second))
        flow = 2 * F.interpolate(small, size=(48, 66), mode="bilinear")
        for large_times in (1, 2, 3):
            flow = corrected(flow, scene.first, scene.second)
            off[small_times, large_times] = (got - flow).abs().mean().item()
    best = min(off, key=off.get)
    assert best == (2, 2), (
        f"with num_levels=2 and num_iterations=2 there should be 2 steps at each size; yours looks like {best[0]} "
        f"between the halved pictures and {best[1]} at the full size"
    )


@exercise("lucas_kanade", points=1, needs=("warp", "lucas_kanade_step"), hint="Nothing may mix the samples of a batch.")
def test_flow_batch(lab, seed):
    """each pair of a batch has its own flow; equal pictures have none"""
    shifts = (2.0, 0.5), (-1.0, 2.5), (0.0, 0.0)
    scenes = [moving(seed + k, shift, size=(28, 38)) for k, shift in enumerate(shifts)]
    first, second = (torch.cat([getattr(s, name) for s in scenes]) for name in ("first", "second"))
    kept = first.clone(), second.clone()
    got = flow_answer(lab, first, second, num_levels=2, num_iterations=2)
    assert torch.equal(first, kept[0]) and torch.equal(second, kept[1]), (
        "lucas_kanade changed the pictures it was given"
    )
    for b, scene in enumerate(scenes):
        alone = flow_answer(lab, scene.first, scene.second, num_levels=2, num_iterations=2)[0]
        assert same(got[b], alone, 0.02), f"pair {b} has another flow in the batch than alone"
    assert got[2].abs().max() < 0.01, f"two equal pictures have no flow; yours reaches {got[2].abs().max():.2f} pixels"


@exercise(
    "lucas_kanade",
    points=1,
    needs=("warp", "lucas_kanade_step"),
    hint="if num_levels < 1 or num_iterations < 1: raise ValueError(...)",
)
def test_flow_refuses_nonsense(lab):
    """pictures that do not fit, no level or no iteration, are a ValueError"""
    a = torch.zeros(2, 3, 32, 40)
    refuses("lucas_kanade of (2, 3, 32, 40) and (1, 3, 32, 40)", "1, 3, 32, 40", lab.lucas_kanade, a, a[:1])
    refuses("lucas_kanade of two pictures (3, 32, 40)", "3, 32, 40", lab.lucas_kanade, a[0], a[0])
    refuses("lucas_kanade with num_levels=0", 0, lab.lucas_kanade, a, a, num_levels=0)
    refuses("lucas_kanade with num_iterations=-2", -2, lab.lucas_kanade, a, a, num_iterations=-2)
