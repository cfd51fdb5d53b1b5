"""Grader of lab 06.5, Variable resolution.

Oracles: buckets one after the other, the batches of an epoch counted, places token by token, blocks clip by clip.
"""

import cmath
import itertools
import math
from functools import partial

import pytest
import torch

from common.course.graders import Call, attempt, integers, judge, record, stand_ins, tensor, theorems
from common.course.graders.values import noise, same
from common.data.buckets import num_tokens
from common.layers.rope import axis_dims, rotations
from common.models.dit import DiTBlock

exercise = pytest.mark.exercise
nearest = Call("nearest_bucket")
turns = Call("scaled_rotations", gives=tensor("n p", torch.complex64),
             sizes=lambda given: {"n": math.prod(given["size"]), "p": given["head_dim"] // 2})  # fmt: skip
packs = Call("pack", gives=record("object", tokens=tensor("1 n ..."), mask=tensor("n n", torch.bool),
                                  lengths=integers()))  # fmt: skip


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: lambda *args, w=how, **given: oracle(*args, **given | w) for message, how in wrong.items()}


def chosen(shape, buckets, *, fits=(0, 1, 2), strict=0, distance=lambda h, w: math.log(w / h), rules="fap",
           upside_down=1, last=False, digits=9):  # fmt: skip
    """Oracle: the best so far, bucket by bucket; and ways to do it wrong. Rules: frames, aspect ratio, pixels."""
    best = best_score = None
    for bucket in buckets:
        if any(bucket[k] > shape[k] - strict for k in fits):
            continue
        off = abs(distance(*shape[1:]) - upside_down * distance(*bucket[1:]))
        scores = {"f": bucket[0], "a": -round(off, digits), "p": bucket[1] * bucket[2], "v": math.prod(bucket),
                  "s": -bucket[1] * bucket[2], "t": -bucket[0]}  # fmt: skip
        score = [scores[rule] for rule in rules]
        if best_score is None or score > best_score or (last and score == best_score):
            best, best_score = bucket, score
    return best


SIDES = ((64, 64), (48, 80), (80, 48), (32, 32), (32, 96), (96, 32), (48, 64))
GRID = [(t, *side) for t in (9, 17) for side in SIDES]
BUCKET_ROWS = [
    ((17, 64, 64), GRID), ((40, 100, 170), GRID), ((16, 90, 60), GRID), ((17, 47, 80), GRID), ((8, 200, 200), GRID),
    ((30, 300, 100), GRID[::-1]), ((9, 32, 32), GRID), ((17, 64, 64), [(17, 64, 32), (17, 30, 48), (9, 64, 64)]),
    ((33, 80, 80), [(17, 32, 64), (17, 64, 32), (33, 16, 80)]), ((25, 70, 70), [(17, 64, 32), (17, 32, 64)]),
    ((20, 90, 120), [(13, 48, 64), (13, 72, 96), (13, 24, 32), (9, 90, 120)]), ((20, 31, 64), [(5, 32, 64)]),
    ((13, 96, 64), [(13, 64, 64), (13, 96, 64), (5, 96, 64)]), ((3, 64, 64), [(1, 16, 16), (1, 64, 48)]),
    ((9, 240, 240), [(9, 64, 48), (9, 96, 128)]), ((9, 240, 240), [(9, 48, 64), (9, 128, 96)]),  # rounding
]  # fmt: skip


@exercise("nearest_bucket", points=3, hint="A list of those that fit; then min or max with a key that is a tuple")
def test_nearest(lab):
    """of the buckets that fit: most frames, then the nearest aspect ratio, then most pixels, then the first"""
    nearest.table(lab, BUCKET_ROWS, chosen, ways(chosen, {
        "the largest bucket that fits is taken. Frames and aspect ratio come first": {"rules": "v"},
        "the aspect ratio comes before the frames: the most frames come first": {"rules": "afp"},
        "the pixels come before the aspect ratio": {"rules": "fpa"},
        "the fewest frames are taken, not the most": {"rules": "tap"},
        "of equal aspect ratios the smallest picture is taken, not the largest": {"rules": "fas"},
        "where all else is equal, the first in the list is taken, not the last": {"last": True},
        "the aspect ratios are subtracted. Their logarithms are": {"distance": lambda h, w: w / h},
        "the clip's aspect ratio is width / height, and so is the bucket's. One is upside down": {"upside_down": -1},
        "a bucket with more frames than the clip has does not fit": {"fits": (1, 2)},
        "a bucket with more rows or columns than the clip has does not fit: nothing is enlarged": {"fits": (0,)},
        "every bucket is taken to fit": {"fits": ()},
        "a bucket as large as the clip fits": {"strict": 1},
        "distances that differ by less than 1e-9 are equal. Here their rounding decides": {"digits": 20},
    }), tolerance=0, because="go through the four rules of the docstring in order")  # fmt: skip
    nearest.refuses(lab, (17, 64, 64), [], because="there are no buckets")


A, B, C, LONG = (17, 64, 64), (9, 48, 80), (17, 96, 64), (33, 128, 96)
ALIKE = [(17, 48, 80), (17, 80, 48), (9, 48, 80), (9, 80, 48), (17, 32, 64), (9, 64, 64), (41, 48, 32), (1, 96, 160)]
MANY = [(A, B, C)[(k * k + k // 5) % 3] for k in range(150)]


def counted(said, got, shapes, most):
    """Judge an epoch: every clip once, one shape per batch, sizes by tokens. Returns the batches by shape."""
    right = isinstance(got, list) and all(isinstance(batch, list) for batch in got)
    assert right, f"{said} should be a list of lists of clip numbers"
    flat, found = [number for batch in got for number in batch], {}
    assert all(type(number) is int for number in flat), f"{said}: clip numbers are ints, from 0, and these are not"
    assert all(got), f"{said} has an empty batch"
    assert len(set(flat)) == len(flat), f"{said}: clips come more than once. Each clip comes once in an epoch"
    missing = sorted(set(range(len(shapes))) - set(flat))
    assert not missing, f"{said}: clip {missing[0]} is in no batch. The last batch of a shape may be smaller, and stays"
    assert len(flat) == len(shapes), f"{said}: there is a number that is no clip's"
    for batch in got:
        kinds = {shapes[number] for number in batch}
        assert len(kinds) == 1, f"{said}: a batch holds clips of {len(kinds)} shapes, {sorted(kinds)}"
        found.setdefault(kinds.pop(), []).append(batch)
    for shape, batches in found.items():
        size, count = max(1, most // num_tokens(shape)), shapes.count(shape)
        sizes = sorted(map(len, batches), reverse=True)
        want = [size] * (count // size) + [count % size] * (count % size > 0)
        tokens = f"{num_tokens(shape)} tokens of {shape}, {count} clips"
        assert sizes[0] <= size, f"{said}: a batch has {sizes[0]} clips ({tokens}). {size} is the most for {most}"
        assert sizes == want, f"{said}: batches of {sizes} clips, where {want} are due ({tokens})"
    return found


@exercise("bucket_batches", points=4, hint="A dict from shape to its clips; slices of max_tokens // num_tokens(shape)")
def test_batches(lab):
    """every clip once, one shape per batch, as many clips as max_tokens allow, at least one, none dropped"""
    for shapes, most, seed in ((MANY, 640, 3), ([A] * 7 + [B] * 11, 160, 0), ([LONG, A, LONG, B], 100, 5),
                               ([A, C] * 20, 239, 2), (MANY[:31], 10_000, 4), (ALIKE * 3, 200, 6)):  # fmt: skip
        said = f"bucket_batches({len(shapes)} shapes, {most}, {seed})"
        counted(said, attempt(said, lab.bucket_batches, list(shapes), most, seed), shapes, most)
    right = lab.bucket_batches(MANY, 640) == lab.bucket_batches(MANY, 640, 0)
    assert right, "bucket_batches(shapes, 640): the seed is 0 if none is given"


@exercise("bucket_batches", points=3, hint="torch.randperm(n, generator=torch.Generator().manual_seed(seed)), twice")
def test_shuffled(lab):
    """clips are shuffled before they are cut into batches, and then the batches: by the seed alone"""
    said, epochs = "bucket_batches(150 shapes, 640, seed)", []
    for seed in range(3):
        torch.manual_seed(100 + seed)
        epochs.append(attempt(said, lab.bucket_batches, MANY, 640, seed))
        torch.manual_seed(0)
        assert epochs[-1] == lab.bucket_batches(MANY, 640, seed), f"{said}: the same seed gives other batches"
    theorems.leaves_random_numbers_alone(said, lab.bucket_batches, MANY, 640, 1)
    assert epochs[0] != epochs[1] != epochs[2], f"{said}: another seed gives the same batches"
    parts = [{tuple(sorted(batch)) for batch in epoch} for epoch in epochs]
    alike = parts[0] == parts[1] == parts[2]
    assert not alike, f"{said}: another seed gives the same groups in another order. Shuffle clips before cutting"
    for epoch in epochs:
        found = counted(said, epoch, MANY, 640)
        for batches in found.values():
            rising = [number for batch in batches for number in batch]
            assert rising != sorted(rising), f"{said}: the clips of a shape come in the order of their numbers"
        kinds = [MANY[batch[0]] for batch in epoch]
        changes = sum(a != b for a, b in itertools.pairwise(kinds))
        assert changes > len(found) - 1, f"{said}: all batches of one shape come first, then those of the next"
    orders = {tuple(MANY[batch[0]] for batch in epoch) for epoch in epochs}
    assert len(orders) > 1, f"{said}: the shapes come in the same order with every seed. Shuffle the batches"


@exercise("bucket_batches", points=1, hint="num_tokens raises for shapes; max_tokens is yours to look at")
def test_batches_refuse(lab):
    """no room for tokens, and shapes that make no tokens, are a ValueError"""
    refuses = Call("bucket_batches").refuses
    refuses(lab, [A, B], 0, because="there is no room for a token")
    for odd in ((16, 64, 64), (17, 60, 64), (17, 64, 40)):
        refuses(lab, [A, odd, A], 640, because=f"{odd} is no shape that num_tokens takes")


def placed(size, head_dim, base_rows=4, theta=100.0, device=None, *, row_scale=None, column_scale=None, half=0.5,
           middle=True, frame=lambda base, size: 1, order=(0, 1, 2), power=2):  # fmt: skip
    """Oracle, token by token; and ways to do it wrong. `device` is looked at by another test."""
    s = base_rows / size[1]
    down, across = row_scale(base_rows, size) if row_scale else s, column_scale(base_rows, size) if column_scale else s
    dims, rows = axis_dims(head_dim), []
    for k, i, j in itertools.product(*map(range, size)):
        column = (j + half - size[2] / 2) * across + base_rows / 2 - half if middle else (j + half) * across - half
        places = (k * frame(base_rows, size), (i + half) * down - half, column)
        row = [cmath.exp(1j * places[a] * theta ** (-power * p / dims[a])) for a in order for p in range(dims[a] // 2)]
        rows.append(row)
    return torch.tensor(rows, dtype=torch.complex128)


one, root = (lambda base, size: 1.0), (lambda base, size: base / math.sqrt(size[1] * size[2]))
ROTATION_ROWS = [((2, 6, 4), 24), ((3, 3, 5), 24, 4, 50.0), ((1, 4, 7), 12, 4), ((2, 5, 2), 32, 6, 300.0),
                 ((4, 1, 3), 18, 3), ((1, 2, 2), 64, 8)]  # fmt: skip


@exercise("scaled_rotations", points=5, hint="places of the three axes first; from there on as in `rotations`")
def test_rotations(lab, seed, look):
    """rows and columns by one scale, measured at their middles, the picture's middle in place; frames as they are"""
    answers = turns.table(lab, ROTATION_ROWS, placed, ways(placed, {
        "nothing is scaled: rows and columns keep their places": {"row_scale": one, "column_scale": one},
        "columns are scaled by the number of columns. One factor, base_rows / H', serves both axes":
            {"column_scale": lambda base, size: base / size[2]},
        "only the rows are scaled": {"column_scale": one},
        "the scale is upside down": {"row_scale": lambda b, n: n[1] / b, "column_scale": lambda b, n: n[1] / b},
        "the scale is that of the area. It is base_rows / H'":
            {"row_scale": root, "column_scale": root},
        "tokens are measured at their corners. They are measured at their middles: i + 1/2": {"half": 0.0},
        "columns begin at the left edge. The picture's middle keeps its place: subtract W' / 2": {"middle": False},
        "corners, and columns from the left edge: see the two formulas": {"half": 0.0, "middle": False},
        "frames are scaled by base_rows / H'. The next frame is as many seconds later as ever":
            {"frame": lambda base, size: base / size[1]},
        "frames are scaled by their number. The next frame is as many seconds later as ever":
            {"frame": lambda base, size: base / size[0]},
        "the shares of the head come in another order. It is frame, row, column": {"order": (0, 2, 1)},
        "the exponent is -2 j / n for pair j of n / 2": {"power": 1},
    }), because="look at places first: print rows and columns for a small size")  # fmt: skip
    look(target=placed(*ROTATION_ROWS[0]).real, yours=answers[0].value.real)


@exercise("scaled_rotations", points=3, hint="dtype=torch.float64 from torch.arange on, complex64 at the end")
def test_rotations_owe(lab):
    """the trained square is unchanged; the same place in a finer picture; far frames; the device; what is refused"""
    turns(lab, (5, 4, 4), 64).near(rotations((5, 4, 4), 64), because="this is the trained square: nothing changes")
    turns(lab, (2, 3, 3), 24, base_rows=3, theta=70.0).near(rotations((2, 3, 3), 24, theta=70.0))
    coarse, fine = (turns(lab, (1, n, 2 * n), 24).value.angle().double() for n in (3, 9))
    middles = fine.reshape(9, 18, -1)[1::3, 1::3].reshape(18, -1)  # of nine fine tokens the one in the middle
    assert same(middles, coarse, 1e-4), "the middle of three by three tokens has the place of the one that they cut up"
    far = turns(lab, (3001, 1, 1), 24, base_rows=1)
    far.near(rotations((3001, 1, 1), 24), because="places and angles are computed in float64")
    meta = attempt("scaled_rotations(…, device='meta')", lab.scaled_rotations, (2, 3, 4), 24, device="meta")
    assert meta.device.type == "meta", f"scaled_rotations(…, device='meta') is on the device {meta.device}"
    for size, more in (((0, 4, 4), {}), ((2, 0, 4), {}), ((2, 4, 0), {}), ((2, 4, 4), {"base_rows": 0})):
        turns.refuses(lab, size, 24, **more, because="there is an axis without a token")
    for head_dim in (7, 4):
        turns.refuses(lab, (2, 3, 4), head_dim, because=f"axis_dims takes no head of {head_dim} numbers")


def diagonal(lengths, *, sees=lambda a, b: a == b):
    owner = [k for k, n in enumerate(lengths) for _ in range(n)]
    return torch.tensor([[sees(a, b) for b in owner] for a in owner])


@exercise("pack", points=3, hint="torch.cat; and a token may look at another where both have the same owner")
def test_pack(lab, seed, look):
    """all tokens in order, a square of True for each sequence, the lengths"""
    kinds = (((4, 1, 3), (5,), torch.float32), ((2, 6), (3, 2), torch.float64), ((7,), (), torch.int64),
             ((1, 1, 2, 3), (4,), torch.bfloat16), ((3, 3), (2,), torch.complex64))  # fmt: skip
    for k, (lengths, rest, dtype) in enumerate(kinds):
        given = [(9 * noise(seed + 7 * k + i, n, *rest)).to(dtype) for i, n in enumerate(lengths)]
        answer = packs(lab, given)
        answer["tokens"].near(torch.cat(given)[None], tolerance=0, because="the sequences come end to end, in order")
        assert answer["tokens"].value.dtype == dtype, f"tokens of {answer.said} should stay {dtype}"
        want = diagonal(lengths)
        answer["mask"].near(want, {
            "the mask is turned around: True says that a token may be looked at": ~want,
            "no token may look at a later one. In its own clip every token sees every other": want.tril(),
            "a clip also sees the clips before it": diagonal(lengths, sees=lambda a, b: a >= b),
            "every token sees every token: the clips are not kept apart": torch.ones_like(want),
            "every token sees itself alone": torch.eye(len(want)).bool(),
        }, tolerance=0, because="a square of True on the diagonal for each sequence")  # fmt: skip
        assert answer["lengths"].value == list(lengths), f"lengths of {answer.said} should be {list(lengths)}"
        if k == 0:
            look(target=want.float(), yours=answer["mask"].value.float())
    packs.refuses(lab, [], because="there is no sequence")
    packs.refuses(lab, [torch.zeros(2, 3), torch.zeros(0, 3)], because="a sequence has no token")


HEADS, D = 2, 24
SIZES = (((2, 3, 1), (1, 2, 2), (3, 1, 4)), ((1, 1, 1), (2, 2, 3)), ((2, 2, 2),))


def clips_of(seed, grids):
    counts = [math.prod(grid) for grid in grids]
    sizes = [(n, D) for n in counts], [(n, 9 * D) for n in counts], [(2 + 3 * k % 4, D) for k in range(len(counts))]
    made = [[noise(seed + 10 * k + j, *size).double() for k, size in enumerate(part)] for j, part in enumerate(sizes)]
    return [*made, [rotations(grid, D // HEADS) for grid in grids]]


def alone(block, clips, signals, texts, turns, *, text=None, signal=None, turned=True):
    """Oracle: the block's own forward, clip by clip; and ways to do it wrong."""
    found = []
    for k, x in enumerate(clips):
        words = texts[k] if text is None else text(texts)
        told = signals[k] if signal is None else signal(signals[k], signals[0])
        out, _ = block(x[None, :, None], told[None], words[None], rotation=turns[k] if turned else None)
        found.append(out[0, :, 0])
    return found


def together(block, clips, signals, texts, turns):
    """One sequence without a mask."""
    own, cross, ffn = block.modulation(torch.cat(signals)[None])
    x = torch.cat(clips)[None, :, None]
    x = own.leave(x, block.attention(own.enter(x)[:, :, 0], torch.cat(turns))[0][:, :, None])
    parts = cross.enter(x)[0, :, 0].split([len(x) for x in clips])
    out = [block.cross_attention(part[None], text[None])[0] for part, text in zip(parts, texts)]
    x = cross.leave(x, torch.cat(out)[None, :, None])
    return list(ffn.leave(x, block.ffn(ffn.enter(x)))[0, :, 0].split([len(x) for x in clips]))


def packed_of(lab, block, *given):
    """The call in short words, and what it gave: a list with a tensor per clip; the inputs are as they were."""
    copies = [[part.clone() for part in parts] for parts in given]
    got = attempt("packed_block(block, clips, …)", lab.packed_block, block, *copies)
    assert same(copies, list(given)), "packed_block(block, clips, …) changed its inputs: work on copies"
    want, right = [tuple(x.shape) for x in given[0]], isinstance(got, list | tuple)
    shapes = [tuple(getattr(x, "shape", ())) for x in got] if right else type(got).__name__
    assert shapes == want, f"packed_block(block, clips, …) should be a list of tensors {want}, not {shapes}"
    return list(got)


class Counts(torch.nn.Module):
    """An attention that counts the tokens of each call."""

    def __init__(self, inner, calls):
        super().__init__()
        self.inner, self.note = inner, calls.append

    def forward(self, x, *args, **given):
        self.note(x.shape[1])
        return self.inner(x, *args, **given)


def filled_block(seed):
    return stand_ins.fill(DiTBlock(D, HEADS, 20), seed, 0.4).double().requires_grad_(False)


@exercise("packed_block", points=6, needs=("pack",), hint="own.leave(x, block.attention(…)[0][:, :, None]), and so on")
def test_packed(lab, seed, look):
    """each clip gets what the block gives for it alone, to 1e-5: own places, own text, a signal for every token"""
    block = filled_block(seed)
    rows = [clips_of(seed + k, grids) for k, grids in enumerate(SIZES)]
    mistakes = ways(partial(alone, block), {
        "every clip reads all texts. Each has its own": {"text": torch.cat},
        "every clip reads the first text. Each has its own": {"text": lambda texts: texts[0]},
        "all tokens of a clip get the signal of its first one": {"signal": lambda own, _: own[:1].expand_as(own)},
        "all clips get the signal of the first one": {"signal": lambda own, first: first[:1].expand_as(own)},
        "the rotations are not used": {"turned": False},
    }) | {"clips see each other: the mask has no effect": partial(together, block)}  # fmt: skip
    said = "packed_block(block, clips, …)"
    found = [packed_of(lab, block, *row) for row in rows]
    wrong = [not same(got, alone(block, *row)) for got, row in zip(found, rows)]
    for message, mistake in mistakes.items() if any(wrong) else ():
        made = all(same(got, mistake(*row)) for got, row in zip(found, rows))
        assert not made, f"{said} with {len(rows[wrong.index(True)][0])} clips: {message}"
    for got, row in zip(found, rows):
        judge(said, got, alone(block, *row), because="it should be what the block gives for this clip alone")
    look(target=alone(block, *rows[0])[0], yours=found[0][0])


@exercise("packed_block", points=3, needs=("pack",), hint="pack the clips first; then one call of block.attention")
def test_packed_owes(lab, seed):
    """self-attention runs once for all tokens; no clip moves another one; gradients; counts that do not fit"""
    block, given, calls = filled_block(seed), clips_of(seed, SIZES[0]), []
    block.attention, total = Counts(block.attention, calls), sum(map(len, given[0]))
    before = packed_of(lab, block, *given)
    assert calls == [total], f"packed_block called block.attention with {calls} tokens: it is one call with all {total}"
    changed = [given[0][0], given[0][1] + 3, given[0][2]]
    after = packed_of(lab, block, changed, *given[1:])
    assert same(before[0], after[0]) and same(before[2], after[2]), "clip 1 was changed, and another clip moved"
    assert not same(before[1], after[1]), "clip 1 was changed, and its result was not"
    asked = [x.clone().requires_grad_() for x in given[0]]
    loss = sum(x.square().sum() for x in lab.packed_block(block, asked, *given[1:]))
    theorems.learns("packed_block(…)", loss, dict(zip(("clip 0", "clip 1", "clip 2"), asked)))
    for k, what in ((1, "signal"), (2, "text"), (3, "rotation")):
        short = [part[:-1] if j == k else part for j, part in enumerate(given)]
        run = partial(lab.packed_block, block, *short)
        Call("packed_block").refuses(lambda run=run: run(), because=f"there are three clips and two {what}s")
    Call("packed_block").refuses(lambda: lab.packed_block(block, [], [], [], []), because="there is no clip")
