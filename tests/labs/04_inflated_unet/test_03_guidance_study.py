"""Grader of lab 04.3, guidance by text and by image.

Oracles: the formulas in double precision, sample by sample; grids whose numbers tell their cell and seed; points that
are compared pair by pair.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from common.course.graders import Call, array, judge, mapping, record, stand_ins, tensor, theorems, values

exercise = pytest.mark.exercise
DTYPES = (torch.float64, torch.float16, torch.bfloat16)

dual = Call("dual_guidance", takes=dict.fromkeys(("uncond", "image", "both"), "..."), gives=tensor("...", "same"),
            parameters=("uncond", "image", "both", "image_scale", "text_scale"))  # fmt: skip


def three(seed, *size, scale=1.0):
    return [values.noise(seed + k, *size, scale=scale) for k in range(3)]


def walked(u, i, b, image_scale, text_scale):
    """Oracle: two legs."""
    u, i, b = u.double(), i.double(), b.double()
    return u + image_scale * (i - u) + text_scale * (b - i)


@exercise("dual_guidance", points=3, hint="uncond + image_scale * (image - uncond) + text_scale * (both - image)")
def test_dual_formula(lab, seed, look):
    """one leg from neither to the picture, one from the picture to both, each with its own strength"""
    sizes = (2, 3, 5, 4), (3, 2, 4, 2, 3), (4, 6), (1, 1, 2, 3, 4)
    sizes += ((2, 5, 3),)
    scales = (2.0, 3.0), (0.5, 1.5), (7, 2), (3.0, 0.25), (0.0, 2.0)
    rows = [(*three(seed, *size), *pair) for size, pair in zip(sizes, scales)]
    mistakes = {
        "the text's leg begins at image, not at uncond": lambda u, i, b, g, t: u + g * (i - u) + t * (b - u),
        "the strengths are exchanged: the picture's leg is image - uncond": lambda u, i, b, g, t: walked(u, i, b, t, g),
        "it begins at image. Begin at uncond": lambda u, i, b, g, t: i + g * (i - u) + t * (b - i),
        "the text's direction is turned around: it is both - image": lambda u, i, b, g, t: walked(
            u, i, 2 * i - b, g, t
        ),
        "the picture's direction is turned around: it is image - uncond": (
            lambda u, i, b, g, t: u + g * (u - i) + t * (b - i)
        ),
        "both strengths are multiplied": lambda u, i, b, g, t: u + g * (i - u) + g * t * (b - i),
        "a prediction has no range: do not clamp": lambda u, i, b, g, t: walked(u, i, b, g, t).clamp(-1, 1),
    }
    because = "it is uncond + image_scale (image - uncond) + text_scale (both - image)"
    answers = dual.table(lab, rows, walked, mistakes, because=because, tolerance=1e-5)
    look(target=walked(*rows[0])[0].flatten().float(), yours=answers[0].value[0].flatten())


@exercise("dual_guidance", points=3, hint="At (1, 1) both is left, at (g, g) plain guidance. Refuse what does not fit.")
def test_dual_theorems(lab, seed):
    """(1, 1) is both; equal strengths are plain guidance; 0 leaves a condition out; what does not fit is refused"""
    u, i, b = three(seed, 2, 3, 4, 5)
    dual(lab, u, i, b, 1.0, 1.0).near(b, because="at (1, 1) the two legs lead to both", tolerance=1e-5)
    for g in (0, 0.5, 3):
        because = "with equal strengths image drops out, and plain guidance is left"
        dual(lab, u, i, b, g, g).near(u + g * (b - u), because=because, tolerance=1e-5)
    dual(lab, u, i, b, 0, 0.0).near(u, because="with strengths of 0 there is no condition")
    dual(lab, u, i, b, 1, 0).near(i, because="without text, at 1, it is image", tolerance=1e-5)
    theorems.owes(dual, lab, u, i, b, 2.0, 3.0, truth=walked, tolerance=1e-4, dtypes=DTYPES)
    for wrong in ((u[:1], i, b), (u, i[:, :1], b), (u, i, b[0]), (u, i[..., :1], b)):
        dual.refuses(lab, *wrong, 2.0, 3.0, because="the three have different shapes")
    for scales in ((-1.0, 2.0), (2.0, -0.5), (-1, -1)):
        dual.refuses(lab, u, i, b, *scales, because="a strength is 0 or more")


hide = Call("hide_first_frame", takes={"x": "b c t h w", "level": "b t", "eps": "b c 1 h w"},
            gives=record("tuple", x=tensor("b c t h w", "same"), level=tensor("b t", "same")),
            parameters=("x", "level", "eps"), fresh=True)  # fmt: skip


def states(seed, levels, channels=3, frames=4, height=2, width=5):
    """A sampler's state: a clean first frame, and the others at a level of their sample."""
    x, eps = (values.noise(seed + k, len(levels), channels, n, height, width) for k, n in ((0, frames), (1, 1)))
    level = torch.tensor(levels)[:, None].repeat(1, frames)
    level[:, 0] = 0
    return x, level, eps


def noised(x, level, eps, keep=lambda s: 1 - s, add=lambda s: s, pick=lambda level, n: level[n].max().item()):
    """Oracle, sample by sample. What comes after `eps` makes mistakes."""
    out = x.double().clone()
    for n in range(len(x)):
        s = pick(level.double(), n)
        out[n, :, :1] = keep(s) * x[n, :, :1].double() + add(s) * eps[n].double()
    return out


@exercise("hide_first_frame", points=4, hint="s = level.amax(dim=1); first = (1 - s) * x[:, :, :1] + s * eps")
def test_hide_the_frame(lab, seed, look):
    """the first frame has the noise of the others, each sample its own; the other frames stay as they are"""
    rows = [states(seed, [0.75, 0.2, 1.0]), states(seed, [0.4], 2, 3, 5, 4), states(seed, [0.9, 0.1], 1, 6, 3, 3)]
    root = partial(noised, keep=lambda s: (1 - s * s) ** 0.5)
    mistakes = {
        "the picture is still there, clean": lambda x, level, eps: x,
        "every sample gets the level of the first": partial(noised, pick=lambda level, n: level[0].max().item()),
        "every sample gets the largest level of the batch": partial(noised, pick=lambda level, n: level.max().item()),
        "the level is the mean over the frames. The clean one does not count": (
            partial(noised, pick=lambda level, n: level[n].mean().item())
        ),
        "data and noise have each other's share": partial(noised, keep=lambda s: s, add=lambda s: 1 - s),
        "the picture is not scaled down: it is (1 - s) x + s eps": partial(noised, keep=lambda s: 1),
        "the picture is replaced by pure noise": partial(noised, keep=lambda s: 0, add=lambda s: 1),
        "that is DDPM's path. Here it is (1 - s) x + s eps": root,
    }
    because = "the first frame becomes (1 - s) x + s eps, with the largest level s of its sample"
    answers = hide.table(lab, rows, noised, mistakes, part="x", because=because, tolerance=1e-5)
    look(target=noised(*rows[0])[0, :, 0].flatten().float(), yours=answers[0].value[0, :, 0].flatten())
    for row, answer in zip(rows, answers):
        judge(f"the other frames of {answer.said}", answer.value[:, :, 1:], row[0][:, :, 1:], tolerance=0,
              because="only the first frame changes")  # fmt: skip


@exercise("hide_first_frame", points=3, hint="s[:, None].repeat(1, x.shape[2]); check the three shapes first.")
def test_hide_levels(lab, seed):
    """all frames have the sample's level; at level 0 nothing changes; the inputs stay; what does not fit is refused"""
    for levels in ([0.75, 0.2, 1.0], [0.5], [0.0, 0.3]):
        x, level, eps = states(seed, levels)
        want = torch.tensor(levels)[:, None].repeat(1, x.shape[2])
        mistakes = {"the first frame is still told as clean": level}
        because = "the model must be told that the first frame is noisy too"
        answer = hide(lab, x, level, eps)
        answer["level"].near(want, mistakes, because=because)
    x, level, eps = states(seed, [0.0, 0.0], frames=1)
    hide(lab, x, level, eps)["x"].near(x, because="at level 0 nothing is hidden")
    x, level, eps = states(seed, [0.6, 0.3, 0.8])
    theorems.owes(hide, lab, x, level, eps, tolerance=1e-3, dtypes=(torch.float64,))
    own = record("tuple", x=tensor("b c t h w", torch.float16), level=tensor("b t", torch.float32))
    replace(hide, gives=own)(lab, x.half(), level, eps.half())["x"].near(
        noised(x.half(), level, eps.half()), because="x has its own dtype", tolerance=2e-3
    )
    for wrong in ((x[0], level, eps), (x, level[:, 1:], eps), (x, level[:2], eps), (x, level, eps[:, :1]),
                  (x, level, eps[:, :, 0]), (x, level[:, 0], eps), (x, level, x), (x, level, eps[:1])):  # fmt: skip
        hide.refuses(lab, *wrong, because="the shapes do not belong together")


sweeps = Call(
    "paired_sweep", gives=mapping(array("r c n", np.float64)), parameters=("measure", "rows", "columns", "seeds")
)


class Meter(stand_ins.Keeps, logs=("calls",)):
    """Gives numbers that tell cell and seed: 100 row + column, and the next random number of each generator.

    It remembers its calls, and uses up what it gets: numbers, then the list itself.
    """

    def __init__(self):
        self.calls = []

    def __call__(self, row, column, generators):
        assert isinstance(generators, list), f"measure got a {type(generators).__name__}, not a list of generators"
        self.calls.append((row, column, list(generators)))
        draws = [torch.rand(3, generator=g)[0].item() for g in generators]
        while generators:
            generators.pop()
        return {"cell": [100 * row + column] * len(draws), "draw": draws}


def wanted(rows, columns, seeds):
    first = [torch.rand(3, generator=torch.Generator().manual_seed(seed))[0].item() for seed in seeds]
    cells = np.array([[100 * row + column for column in columns] for row in rows])
    return {"cell": np.repeat(cells[:, :, None], len(seeds), axis=2).astype(float),
            "draw": np.broadcast_to(first, (len(rows), len(columns), len(seeds))).astype(float)}  # fmt: skip


@exercise("paired_sweep", points=4, hint="New generators inside the inner loop: torch.Generator().manual_seed(seed)")
def test_sweep_is_paired(lab, seed, look):
    """rows along the first axis, columns along the second, seeds along the third; the same noise in every cell"""
    for rows, columns, seeds in (([1.0, 2.0], [0.0, 3.0, 5.0], [seed, seed + 7]), ([0], [2], [3, 1, 2]),
                                 ([3.0, 1.0, 2.0], [4.0, 0.5], [5])):  # fmt: skip
        meter, want = Meter(), wanted(rows, columns, seeds)
        answer = sweeps(lab, meter, rows, columns, seeds)
        assert set(answer.value) == set(want), (
            f"{answer.said} has {sorted(answer.value)}, and measure has {sorted(want)}"
        )
        said = [(row, column) for row, column, _ in meter.calls]
        assert said == [(r, c) for r in rows for c in columns], (
            f"{answer.said} measured the cells {said}, not row by row"
        )
        mistakes = {}
        if len(rows) == len(columns):
            mistakes["rows and columns are exchanged"] = want["cell"].swapaxes(0, 1)
        judge(f"{answer.said}['cell']", answer.value["cell"], want["cell"], mistakes, axes=("r", "c", "n"),
              because="axis 0 is the row, axis 1 the column")  # fmt: skip
        judge(f"{answer.said}['draw']", answer.value["draw"], want["draw"], axes=("r", "c", "n"),
              because="each cell needs new generators with the same seeds, in their order")  # fmt: skip
        look(target=want["draw"].ravel(), yours=answer.value["draw"].ravel())


@exercise("paired_sweep", points=2, hint="list(rows), list(columns), list(seeds) first; refuse what is empty.")
def test_sweep_takes_iterables(lab):
    """iterators will do; float64 comes out whatever goes in; no row, column or seed is a ValueError"""
    meter, want = Meter(), wanted([1, 2], [3, 4], [0, 1])
    found = sweeps(lab, meter, iter([1, 2]), iter((3, 4)), iter(range(2))).value
    for name, value in want.items():
        judge(f"paired_sweep of three iterators, {name!r}", found[name], value, because="make lists first")
    ints = sweeps(
        lab, lambda row, column, generators: {"n": torch.ones(len(generators), dtype=torch.int32)}, [1], [2], [3]
    )
    judge("paired_sweep of whole numbers", ints.value["n"], np.ones((1, 1, 1)))
    arrays = sweeps(lab, Meter(), np.array([1.0, 2.0]), np.array([3.0]), [4, 5]).value
    judge("paired_sweep of arrays", arrays["cell"], wanted([1, 2], [3], [4, 5])["cell"])
    for rows, columns, seeds in (([], [1], [1]), ([1], [], [1]), ([1], [1], []), (iter(()), [1], [1])):
        sweeps.refuses(lab, Meter(), rows, columns, seeds)


front = Call("pareto_front", takes={"points": "n d"}, gives=array("n", np.bool_))


def undominated(points, as_good=np.greater_equal, better=np.greater, some=any):
    """Oracle, pair by pair."""
    points = np.asarray(points, float)
    beaten = [
        any(as_good(q, p).all() and some(better(q, p)) for m, q in enumerate(points) if m != n)
        for n, p in enumerate(points)
    ]
    return ~np.array(beaten, bool).reshape(len(points))


@exercise("pareto_front", points=4, hint="At least as good along every axis, and better along one.")
def test_front(lab, seed, look):
    """a point is beaten by one that is at least as good everywhere and better somewhere; equal points stay"""
    draw = np.random.default_rng(seed)
    rows = [(draw.integers(0, 5, (size, axes)).astype(float),) for size, axes in ((12, 2), (9, 3), (15, 4), (6, 1))]
    rows += [(draw.normal(size=(10, 2)),), (np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 2.0], [2.0, 0.0]]),)]
    rows += [(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]]),), (np.array([[-np.inf, 1.0], [np.inf, 0.0], [0, 0.0]]),)]
    mistakes = {
        "equal points throw each other out: one axis must be truly better": (
            partial(undominated, better=np.greater_equal)
        ),
        "a point must be better along every axis to beat another: one is enough": partial(undominated, some=all),
        "fewer counts as better here. More is better along every axis": lambda points: undominated(-points),
        "True is asked for the points of the front": lambda points: ~undominated(points),
        "only the best along each axis is kept": lambda points: (points == points.max(axis=0)).any(axis=1),
    }
    because = "on the front is what no other point beats"
    answers = front.table(lab, rows, undominated, mistakes, because=because)
    look(target=undominated(*rows[0]).astype(float), yours=answers[0].value.astype(float))


@exercise("pareto_front", points=2, hint="np.isnan(points).any() and points.ndim != 2: ValueError")
def test_front_edges(lab, seed):
    """none and one point, whole numbers and views; another shape or a NaN is a ValueError"""
    front(lab, np.zeros((0, 2))).equal(np.zeros(0, bool), because="no point, no front")
    front(lab, np.ones((1, 3))).equal(np.ones(1, bool), because="one point is not beaten")
    points = np.random.default_rng(seed).integers(-4, 4, (11, 2))
    front(lab, points).equal(undominated(points), because="whole numbers are compared as they are")
    front(lab, (points + 4).astype(np.uint8)).equal(
        undominated(points), because="unsigned numbers must not wrap around"
    )
    fine = np.array([[1.0, 5.0], [1.0 + 1e-12, 5.0], [0.5, 5.0 + 1e-12]])
    front(lab, fine).equal(undominated(fine), because="float64 is compared as float64")
    large = np.array([[2**53, 1], [2**53 + 1, 1]])
    front(lab, large).equal(np.array([False, True]), because="whole numbers are compared as whole numbers")
    order = np.random.default_rng(seed + 1).permutation(11)
    front(lab, points[order]).equal(undominated(points)[order], because="the order of the points does not matter")
    theorems.owes(front, lab, points.astype(float), truth=undominated, batch_of_one=False)
    for wrong in (np.ones(3), np.ones((2, 3, 4)), np.array([[1.0, np.nan], [0.0, 1.0]])):
        front.refuses(lab, wrong)


rescales = Call("rescale_guidance", takes={"guided": "...", "cond": "..."}, gives=tensor("...", "same"),
                parameters=("guided", "cond", "rescale"))  # fmt: skip


def given_back(guided, cond, rescale, spread=lambda x: x.std(correction=0), towards=None):
    """Oracle, sample by sample. What comes after `rescale` makes mistakes."""
    rows = []
    for one, other in zip(guided.double(), cond.double()):
        hat = one * (1 if one.min() == one.max() else spread(other) / spread(one))
        rows.append(rescale * hat + (1 - rescale) * (one if towards is None else towards(one, other)))
    return torch.stack(rows)


def pairs(seed, *size):
    return values.noise(seed, *size, scale=3.0) + 0.4, values.noise(seed + 1, *size) - 0.2


@exercise("rescale_guidance", points=4, hint="x.flatten(1).std(dim=1): one number per sample")
def test_rescale_formula(lab, seed, look):
    """each sample gets the standard deviation of cond, in part; its mean is scaled with it"""
    sizes = (3, 2, 4, 2, 5), (2, 6), (1, 3, 4, 4), (4, 2, 3)
    rows = [(*pairs(seed, *size), share) for size, share in zip(sizes, (0.7, 0.25, 1.0, 0.5))]
    rows[0][0][1] *= 5
    whole = lambda g, c, share: share * g * (c.double().std() / g.double().std()) + (1 - share) * g  # noqa: E731
    mistakes = {
        "one factor for the whole batch. Each sample has its own": whole,
        "the factor is upside down": lambda g, c, share: torch.stack(
            [share * a * a.double().std() / b.double().std() + (1 - share) * a for a, b in zip(g, c)]
        ),
        "the two shares are exchanged: rescale of the result, 1 - rescale of guided": (
            lambda g, c, share: given_back(g, c, 1 - share)
        ),
        "rescale is not used: all of the result": lambda g, c, share: given_back(g, c, 1.0),
        "it is mixed with cond. Mix it with guided": partial(given_back, towards=lambda one, other: other),
        "variances are compared. It is the standard deviation": partial(given_back, spread=lambda x: x.var()),
        "the mean was not taken away: a standard deviation is the spread around it": (
            partial(given_back, spread=lambda x: x.square().mean().sqrt())
        ),
    }
    because = "rescale * guided * std(cond) / std(guided) + (1 - rescale) * guided, each sample with its own"
    answers = rescales.table(lab, rows, given_back, mistakes, because=because, tolerance=1e-5)
    look(target=given_back(*rows[0])[0].flatten().float(), yours=answers[0].value[0].flatten())


@exercise("rescale_guidance", points=3, hint="float32 at least; torch.where(std > 0, …, 1); check the shapes.")
def test_rescale_edges(lab, seed):
    """0 is guided itself; a constant sample stays; half precision is measured in float32; nonsense is refused"""
    guided, cond = pairs(seed, 3, 4, 5)
    for nothing in (0, 0.0):
        rescales(lab, guided, cond, nothing).near(guided, because="a rescale of 0 changes nothing")
    flat = guided.clone()
    because = "sample 1 has one value everywhere: it stays as it is, and the others do not care"
    for value in (0.5, 0.1, -0.3):  # sums of some are rounded
        flat[1] = value
        rescales(lab, flat, cond, 0.7).near(given_back(flat, cond, 0.7), because=because, tolerance=1e-5)
    rescales(lab, guided[:, 0, :1], cond[:, 0, :1], 0.7).near(guided[:, 0, :1], because="one value has no spread")
    because = "predictions may be small: nothing is added to the standard deviation"
    rescales(lab, 1e-5 * guided, cond, 0.7).near(given_back(1e-5 * guided, cond, 0.7), because=because, tolerance=1e-4)
    still = cond.clone()
    still[2] = -1.0
    because = "cond does not vary in sample 2: what is left is (1 - rescale) * guided"
    rescales(lab, guided, still, 0.6).near(given_back(guided, still, 0.6), because=because, tolerance=1e-5)
    for dtype in (torch.float16, torch.bfloat16):
        big = values.noise(seed, 2, 60, 80, scale=300.0), values.noise(seed + 1, 2, 60, 80)
        theorems.rounds_once(rescales, lab, *big, 0.7, truth=given_back, dtype=dtype)
    theorems.owes(rescales, lab, guided, cond, 0.7, truth=given_back, tolerance=1e-4, dtypes=(torch.float64,))
    for wrong in ((guided[:2], cond), (guided, cond[0]), (guided, cond[:, :1])):
        rescales.refuses(lab, *wrong, 0.5)
    for share in (-0.1, 1.01, 7):
        rescales.refuses(lab, guided, cond, share)
