"""Grader of lab 04.5, attention patterns.

Oracles in double precision: FLOPs product by product, attention under a mask of who may look at whom, reach by changing
one token at a time.
"""

import itertools
from functools import partial

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from common.course.graders import Call, attempt, number, tensor, theorems
from common.course.graders.values import noise, uniform

exercise = pytest.mark.exercise
QKV = dict.fromkeys("qkv", "b h t y x d")
flops = Call("attention_flops", gives=number(whole=True))
factorises = Call("factorised_attention", QKV, tensor("b h t y x d", "same"))
windows = Call("windowed_attention", QKV, tensor("b h t y x d", "same"))
reaches = Call("reach", {"x": "n d", "change": "d"}, tensor("n n", torch.float32, finite=False))


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: partial(oracle, **how) for message, how in wrong.items()}


# --------------------------------------------------------------------------------------------- attention_flops


def products(num_tokens, group_size, dim, batch_size=1, *, each=2, projections=4, inside=2, group=None, clips=True):
    """Oracle, a matrix product at a time; and ways to do it wrong."""
    group = group or group_size
    sizes = [(num_tokens, dim, dim)] * projections
    for _ in range(num_tokens // group):
        sizes += [(group, dim, group), (group, group, dim)][:inside]
    return sum(each * m * n * p for m, n, p in sizes) * (batch_size if clips else 1)


@exercise("attention_flops", points=3, hint="8 N D² for four projections, 4 N G D for two products inside the groups")
def test_flops(lab):
    """four projections and two products inside each group, two FLOPs per multiplication"""
    rows = [(144, 12, 64), (12, 12, 7), (10, 5, 3, {"batch_size": 3}), (6, 1, 2, 2), (96, 8, 5, 4)]

    def whole(num_tokens, group_size, dim, batch_size=1):
        return products(num_tokens, group_size, dim, batch_size, group=num_tokens)

    mistakes = ways(products, {
        "a multiplication and an addition are two FLOPs: a product counts 2 m n p": {"each": 1},
        "three projections are counted. The output has one too": {"projections": 3},
        "the projections are missing: queries, keys, values and output": {"projections": 0},
        "one product per group is counted. There are two: the scores, and their softmax times v": {"inside": 1},
        "batch_size has no effect": {"clips": False},
    }) | {"every pair of tokens is counted: attention runs inside groups": whole}  # fmt: skip
    flops.table(lab, rows, products, mistakes, tolerance=0)
    theorems.owes(flops, lab, 144, 12, 64, other=(10, 5, 3))


@exercise("attention_flops", points=1, hint="One condition before the formula; test for 0 before the remainder.")
def test_flops_refuses(lab):
    """groups that do not tile, and numbers below 1"""
    for args in ((10, 3, 4), (4, 8, 2), (0, 1, 4), (4, 0, 4), (4, 2, 0), (4, 2, 3, 0), (-4, 2, 3), (4, -2, 3)):
        flops.refuses(lab, *args, because="groups tile the tokens, and all numbers are at least 1")


# ------------------------------------------------------------------------------------------ patterns by their masks


def qkv(seed, batch, heads, grid, head_dim):
    return tuple(noise(seed + k, batch, heads, *grid, head_dim, scale=1.5).double() for k in range(3))


def under(q, k, v, allowed, scaled=True):
    """Full attention under a mask `(N, N)` of who may look at whom, head by head."""
    grid, out = q.shape[2:5], torch.empty_like(q)
    for b, h in itertools.product(range(q.shape[0]), range(q.shape[1])):
        one, two, three = (part[b, h].flatten(0, 2) for part in (q, k, v))
        scores = one @ two.T / (q.shape[-1] ** 0.5 if scaled else 1)
        out[b, h] = (scores.masked_fill(~allowed, -torch.inf).softmax(-1) @ three).unflatten(0, grid)
    return out


def alike(labels):
    """`(N, N)`: which tokens have the same label; labels are `(N, any)`."""
    return (labels[:, None] == labels[None]).all(-1)


def places(grid):
    return torch.tensor(list(itertools.product(*map(range, grid))))


def by_axis(q, k, v, axis, *, axes=None, scaled=True):
    """Oracle; and ways to do it wrong."""
    axes = axes or {"space": {"space": [0], "time": [1, 2]}}["space"]
    return under(q, k, v, alike(places(q.shape[2:5])[:, axes[axis]]), scaled)


def reshaped(q, k, v, axis):
    """The axes in the order that they have in memory."""
    (b, h, t, y, x, d), shape = q.shape, q.shape
    folded = (b * t, h, y * x, d) if axis == "space" else (b * y * x, h, t, d)
    q, k, v = (part.reshape(folded) for part in (q, k, v))
    return ((q @ k.mT / d**0.5).softmax(-1) @ v).reshape(shape)


AXIS_MISTAKES = {
    "space and time are swapped": {"axes": {"space": [1, 2], "time": [0]}},
    "tokens attend along one row alone, or along one column: the group is too small": {
        "axes": {"space": [0, 1], "time": [0, 1]}},
    "every token attends to all tokens of the clip: the groups are missing": {"axes": {"space": [], "time": []}},
    "the scores are not divided by √head_dim": {"scaled": False},
}  # fmt: skip


@exercise("factorised_attention", points=5, hint='"b h t y x d -> (b t) h (y x) d" for space, "(b y x) h t d" for time')
def test_factorised(lab, seed, look):
    """inside frames, or along time at each place: what is no part of the group is a batch"""
    for axis, fold in (("space", "(b t)"), ("time", "(b y x)")):
        rows = [(*qkv(seed, 2, 3, (4, 2, 5), 6), axis), (*qkv(seed + 9, 1, 2, (3, 4, 2), 5), axis),
                (*qkv(seed + 5, 3, 1, (2, 3, 1), 4), axis)]  # fmt: skip
        mistakes = ways(by_axis, AXIS_MISTAKES) | {
            f"the axes are cut in the order that they have in memory. Move them first: rearrange to {fold}": reshaped
        }
        answers = factorises.table(lab, rows, by_axis, mistakes)
        look(target=by_axis(*rows[0])[0, 0, :, 0, :, 0], yours=answers[0].value[0, 0, :, 0, :, 0])
        theorems.owes(factorises, lab, *rows[0], other=rows[1])
        low = [part.bfloat16() for part in rows[0][:3]]
        factorises(lab, *low, axis).near(by_axis(*rows[0]), tolerance=0.05)
        wanting = [part.clone().requires_grad_() for part in rows[1][:3]]
        theorems.learns(f"factorised_attention(…, {axis!r})", lab.factorised_attention(*wanting, axis).square(),
                        dict(zip("qkv", wanting)))  # fmt: skip


@exercise("factorised_attention", points=1, hint='if axis not in ("space", "time"): raise ValueError')
def test_factorised_refuses(lab, seed):
    """an axis by another name"""
    for axis in ("rows", "full", "", "Space", "spacetime", "t", "spatial", "temporal"):
        factorises.refuses(lab, *qkv(seed, 1, 2, (2, 3, 2), 4), axis, because="the axis is 'space' or 'time'")


def by_window(q, k, v, window, shift=(0, 0, 0), *, sign=1, wraps=False, shifted=True, rolled=False, order=(0, 1, 2),
              scaled=True, axes=(0, 1, 2)):  # fmt: skip
    """Oracle; and ways to do it wrong."""
    grid = torch.tensor(q.shape[2:5])
    shift = torch.tensor([s if shifted else 0 for s in shift])
    size = torch.tensor([window[k] for k in order])
    piece = (places(grid.tolist()) - sign * shift).div(size, rounding_mode="floor")
    piece = piece % grid.div(size, rounding_mode="floor").clamp(min=1) if wraps else piece
    out = under(q, k, v, alike(piece[:, list(axes)]), scaled)
    return out.roll([-int(s) for s in shift], (2, 3, 4)) if rolled else out


WINDOW_MISTAKES = {
    "the shift has no effect": {"shifted": False},
    "the cuts are shifted the other way: they come at the places s, s + w, s + 2w, …": {"sign": -1},
    "the first piece of an axis sees the last one. Rolling brings them together, and a mask keeps them apart": {
        "wraps": True},
    "the result is in the rolled places. Roll it back by the shift": {"rolled": True},
    "the window's axes are mixed up: it is frames, rows, columns": {"order": (2, 1, 0)},
    "frames are not cut: a window is a box of frames, rows and columns": {"axes": (1, 2)},
    "rows and columns are not cut: a window is a box of frames, rows and columns": {"axes": (0,)},
    "the scores are not divided by √head_dim": {"scaled": False},
}  # fmt: skip


@exercise("windowed_attention", points=3, hint='"(nt wt) (ny wy) (nx wx)" splits the axes; windows join the batch')
def test_windows(lab, seed, look):
    """without a shift: boxes of frames, rows and columns"""
    rows = [(*qkv(seed, 2, 3, (4, 6, 2), 5), (2, 3, 1)), (*qkv(seed + 5, 1, 2, (6, 2, 3), 4), (3, 1, 3)),
            (*qkv(seed + 9, 3, 1, (2, 3, 4), 6), [1, 3, 2])]  # fmt: skip
    fitting = {text: how for text, how in WINDOW_MISTAKES.items() if "order" not in how}
    answers = windows.table(lab, rows, by_window, ways(by_window, fitting))
    look(target=by_window(*rows[0])[0, 0, :, :, 0, 0], yours=answers[0].value[0, 0, :, :, 0, 0])
    grid = (2, 3, 4)
    args = qkv(seed + 7, 2, 2, grid, 3)
    windows(lab, *args, grid).near(under(*args, torch.ones(24, 24).bool()), because="one window is full attention")
    cube = (*qkv(seed + 3, 1, 2, (4, 4, 4), 3), (4, 2, 1))
    windows.table(lab, [cube], by_window, ways(by_window, {t: h for t, h in WINDOW_MISTAKES.items() if "order" in h}))


@exercise("windowed_attention", points=5, hint="roll by -s, mask where pieces differ inside a window, roll back by s")
def test_shifted_windows(lab, seed, look):
    """with a shift: the cuts move, and the ends of an axis stay apart"""
    rows = [(*qkv(seed, 2, 3, (4, 6, 2), 5), (2, 3, 1), (1, 1, 0)),
            (*qkv(seed + 5, 1, 2, (6, 2, 3), 4), (3, 2, 3), {"shift": [2, 1, 2]}),
            (*qkv(seed + 9, 2, 1, (3, 4, 8), 4), (3, 4, 4), (1, 3, 3)),
            (*qkv(seed + 2, 1, 2, (6, 3, 4), 3), (3, 1, 2), {"shift": (1, 0, 0)})]  # fmt: skip
    fitting = {text: how for text, how in WINDOW_MISTAKES.items() if "order" not in how}
    answers = windows.table(lab, rows, by_window, ways(by_window, fitting))
    look(target=by_window(*rows[0])[0, 0, :, :, 0, 0], yours=answers[0].value[0, 0, :, :, 0, 0])
    theorems.owes(windows, lab, *rows[0], other=rows[2])
    again = (*qkv(seed + 4, 1, 2, (2, 3, 4), 5), *rows[0][3:])
    windows(lab, *again).near(by_window(*again), because="the same window and shift, on another grid")
    low = [part.bfloat16() for part in rows[0][:3]]
    windows(lab, *low, *rows[0][3:]).near(by_window(*rows[0]), tolerance=0.05)
    wanting = [part.clone().requires_grad_() for part in rows[0][:3]]
    theorems.learns("windowed_attention(…)", lab.windowed_attention(*wanting, (2, 3, 1), (1, 1, 0)).square(),
                    dict(zip("qkv", wanting)))  # fmt: skip


@exercise("windowed_attention", points=2, hint="Cut q, k and v into windows first: no product is larger.")
def test_windows_save(lab, seed):
    """no more than 4 N G D FLOPs, with a shift and without"""
    for grid, window, shift in (((6, 4, 4), (3, 2, 2), (0, 0, 0)), ((6, 4, 4), (3, 2, 2), (1, 1, 1)),
                                ((4, 6, 8), (2, 3, 4), (1, 2, 0)), ((9, 2, 2), (3, 2, 1), (2, 0, 0))):  # fmt: skip
        args = qkv(seed, 2, 3, grid, 8)
        said = f"windowed_attention(q, k, v, window={window}, shift={shift}) on a grid of {grid}"
        with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
            attempt(said, lab.windowed_attention, *args, window, shift)
        most = 4 * 2 * 24 * torch.Size(grid).numel() * torch.Size(window).numel()
        spent = counter.get_total_flops()
        assert spent <= most, (
            f"{said} costs {spent:,} FLOPs, at most {most:,}: pairs of different windows are computed and hidden"
        )


@exercise("windowed_attention", points=1, hint="length % w, and 0 <= s < w, for each of the three axes")
def test_windows_refuse(lab, seed):
    """windows that do not divide their axis, and shifts outside their range"""
    args = qkv(seed, 1, 2, (4, 6, 3), 4)
    for window, shift in (((3, 3, 3), (0, 0, 0)), ((2, 4, 3), (0, 0, 0)), ((2, 3, 2), (0, 0, 0)),
                          ((8, 3, 3), (0, 0, 0)), ((0, 3, 3), (0, 0, 0)), ((2, -3, 3), (0, 0, 0)),
                          ((2, 3, 3), (2, 0, 0)), ((2, 3, 3), (0, -1, 0)), ((2, 3, 3), (0, 0, 3)),
                          ((2, 3, 1), (0, 0, 1))):  # fmt: skip
        windows.refuses(lab, *args, window, shift, because="the grid is (4, 6, 3)")


# ------------------------------------------------------------------------------------------------------- reach


class Hearing:
    """A layer: each token adds a part of what it hears of others to some of its numbers.

    Args:
        edges: `(N, N)`, how much token j takes from token i.
        into: `(D,)`, into which numbers it goes, and with which sign.
        centred: what is said is taken after its mean over the numbers is subtracted, as a layer norm does.
    """

    __name__ = "layer"

    def __init__(self, edges, into, centred=False):
        self.edges, self.into, self.centred = edges, into, centred

    def __call__(self, x):
        if x.ndim != 3 or x.shape[1:] != (len(self.edges), len(self.into)):
            raise ValueError(f"a layer takes (B, {len(self.edges)}, {len(self.into)}), got {tuple(x.shape)}")
        said = x - x.mean(-1, keepdim=True) if self.centred else x
        heard = torch.einsum("ij,bi->bj", self.edges.to(x), said[..., 0] + 2 * said[..., 1])
        return x + heard[..., None] * self.into.to(x)

    def __repr__(self):
        return "layer"


def hearers(seed, count, depth, into=(0.0, 1.0, 1.0), size=0.5, centred=False):
    """Layers in which a token hears of a few others, never of the same ones in the next layer."""
    made = []
    for k in range(depth):
        edges = (uniform(seed + k, count, count, low=0, high=1) < 1.3 / count) * size
        made.append(Hearing(edges.double(), torch.tensor(into).double(), centred))
    return made


def taken_back(seed, count):
    """Two layers: what a token hears in the first goes into a number that no one listens to, and out of it again."""
    edges = hearers(seed, count, 1)[0].edges
    return [Hearing(edges, torch.tensor([0.0, 0.0, sign]).double()) for sign in (1.0, -1.0)]


def heard(layers, x, change, tolerance=1e-9, *, look="any", apart=False, keeps="first", base=True, by=None, never=None,
          start=1, diagonal=0.0, turned=False, whole=False):  # fmt: skip
    """Oracle, token by token; and ways to do it wrong."""
    rows = []
    for i in range(len(x)):
        plain, moved, row = x.clone()[None], x.clone()[None], [float("inf") if never is None else never] * len(x)
        moved[0, slice(None) if whole else i] += change if by is None else by
        begin = plain, moved
        for number_, layer in enumerate(layers, start=start):
            plain, moved = layer(begin[0] if apart else plain), layer(begin[1] if apart else moved)
            off = (moved - (plain if base else begin[0]))[0]
            off = {"any": off.abs().amax(-1), "sum": off.sum(-1).abs(), "first": off[:, 0].abs(),
                   "all": off.abs().amin(-1)}[look]  # fmt: skip
            for j in range(len(x)):
                fresh = row[j] == (float("inf") if never is None else never)
                if off[j] > tolerance and (fresh or keeps == "last"):
                    row[j] = number_ if keeps != "end" else len(layers)
        row[i] = row[i] if diagonal is None else diagonal
        rows.append(row)
    found = torch.tensor(rows, dtype=torch.float32)
    return found.T if turned else found


REACH_MISTAKES = {
    "rows and columns are swapped. Row i is about the change of token i": {"turned": True},
    "the layers are counted from 0": {"start": 0},
    "where a token never moves there is 0, not infinity": {"never": 0.0},
    "where a token never moves there is -1, not infinity": {"never": -1.0},
    "the diagonal is not 0": {"diagonal": None},
    "the last layer after which a token differs is kept. It is the first that counts": {"keeps": "last"},
    "each layer gets the clip itself. It should get what the layer before it made": {"apart": True},
    "the differences of a token's numbers are summed, and cancel. One number that differs is enough": {"look": "sum"},
}


@exercise("reach", points=5, hint="changed[i, i] += change for every i; after each layer compare with the plain clip")
def test_reach(lab, seed, look):
    """the first layer after which a change of token i moves token j"""
    change = torch.tensor([0.5, 1.0, -2.0]).double()
    rows = [(hearers(seed, 7, 4), noise(seed, 7, 3).double(), change),
            (hearers(seed + 5, 5, 3, (0.0, 1.0, -1.0)), noise(seed + 1, 5, 3).double(), change),
            (hearers(seed + 9, 9, 5, centred=True), noise(seed + 2, 9, 3).double(), change),
            (tuple(hearers(seed + 15, 4, 1)), noise(seed + 3, 4, 3).double(), change),
            (taken_back(seed + 20, 6), noise(seed + 4, 6, 3).double(), change)]  # fmt: skip
    more = {
        "1 is added to every number of the token. It is `change` that is added": {"by": 1.0},
        "all tokens are changed at once. Each row changes one": {"whole": True},
        "the changed clip is compared with the input. The plain clip goes through the layers too": {"base": False},
        "a token counts as moved when all of its numbers differ. One is enough": {"look": "all"},
    }
    answers = reaches.table(lab, rows, heard, ways(heard, REACH_MISTAKES | more), tolerance=0)
    look(target=heard(*rows[0]).nan_to_num(posinf=9), yours=answers[0].value.nan_to_num(posinf=9))


@exercise("reach", points=2, hint="Compare with the tolerance that was given. Leave x and the layers as they are.")
def test_reach_owes(lab, seed):
    """small moves count, and how small they may be is the tolerance; more than a hundred tokens"""
    x, change = noise(seed, 6, 3).double(), torch.tensor([3.0, 1.5, 0.75]).double() / 3.1
    small = [Hearing(torch.diag(torch.full((5,), 3e-4), 1).double(), torch.tensor([0.0, 1.0, 1.0]).double())] * 3
    args = small, x, change
    reaches(lab, *args).near(heard(*args), because="moves of 4e-7 are above the tolerance of 1e-9")
    for tolerance in (1e-6, 7e-4):  # the first layer moves two numbers by 6e-4 each
        want = heard(*args, tolerance)
        reaches(lab, *args, tolerance).near(want, because=f"moves of less than {tolerance:g} do not count")
    half = [Hearing(torch.diag(torch.full((5,), 0.5), 1).double(), torch.tensor([0.0, 0.0, 1.0]).double())]
    tie = half, x, torch.tensor([1.0, 0.0, 0.0]).double(), 0.5  # the layer moves a number by 0.5 exactly
    reaches(lab, *tie).near(heard(*tie), because="a difference of exactly the tolerance is not above it")
    theorems.owes(reaches, lab, *args, other=(hearers(seed, 4, 2), noise(seed, 4, 3).double(), change))
    still = reaches(lab, [], x, change)
    still.near(heard([], x, change), because="without layers no one hears of anyone")
    path = torch.diag(torch.full((109,), 0.5), 1).double()  # token i + 1 hears of token i
    many = [Hearing(path, torch.tensor([1.0, 0.0, 0.0]).double())] * 3
    want = torch.full((110, 110), torch.inf)
    for step in range(4):
        want.diagonal(step).fill_(step)
    reaches(lab, many, noise(seed, 110, 3).double(), change).near(want, because="each token is heard by the next one")
