"""Grader of lab 05.5, Diffusion on latents.

Oracles: loops in double precision, turns simulated without a clock, and drawn clips whose pixels serve as latents.
"""

import itertools
import re
from functools import cache, partial

import pytest
import torch

from common.course import graders
from common.course.graders import Call, attempt, each, judge, mapping, number, record, tensor, theorems, values
from common.course.graders.stand_ins import Clock, Keeps, Recorder
from common.data.mini import COLORS, MiniSprites
from common.evaluation.share import Share
from common.evaluation.sprite_reader import read_sprites

exercise = pytest.mark.exercise
takes, gives, one = {"latents": "b c t h w"}, tensor("b c t h w", torch.float32), tensor("c", torch.float32)
fit = Call("LatentStatistics.fit", takes, record("object", mean=one, std=one), parameters=("latents",))
normalize, denormalize = (Call(f"statistics.{name}", takes, gives) for name in ("normalize", "denormalize"))
SIZES = ((3, 4, 2, 5, 6), (1, 7, 3, 2, 4), (5, 2, 1, 3, 2))


def raw(seed, *size):
    """Latents whose channels have scales and means of their own."""
    scale = 0.2 + torch.arange(size[1])[:, None, None, None] / 3
    return values.noise(seed, *size) * scale + values.noise(seed + 1, size[1], 1, 1, 1)


def by_channel(latents, what):
    return torch.stack([what(latents[:, c].double().flatten()) for c in range(latents.shape[1])])


def spread(x):
    return (x - x.sum() / len(x)).square().sum().div(len(x)).sqrt()


@exercise("LatentStatistics", points=3, hint="torch.std_mean(latents.float(), dim=(0, 2, 3, 4), correction=0)")
def test_statistics_fit(lab, seed, look):
    """mean and standard deviation of each channel over samples, frames, rows and columns"""
    rows = [(raw(seed + 2 * k, *size),) for k, size in enumerate(SIZES)]
    mean, std = (lambda x, what=what: by_channel(x, what) for what in (torch.mean, spread))
    together = "those are of all channels together. Each channel has its own"
    answers = fit.table(lab.LatentStatistics.fit, rows, std, {
        "that is the variance. Take its square root": lambda x: std(x) ** 2,
        "it is divided by N - 1. The docstring asks for N": lambda x: by_channel(x, torch.std),
        together: lambda x: spread(x.double().flatten()).expand(x.shape[1]),
    }, part="std")  # fmt: skip
    look(target=std(rows[0][0]).float(), yours=answers[0].value)
    mistakes = {together: lambda x: x.double().mean().expand(x.shape[1])}
    fit.table(lab.LatentStatistics.fit, rows, mean, mistakes, part="mean")


@exercise("LatentStatistics", points=2, hint="mean and std are (C,): [:, None, None, None] puts them beside channels.")
def test_statistics_normalize(lab, seed):
    """normalized latents are (z - mean) / std in each channel, in float32, and denormalize goes back"""
    two = torch.tensor([0.5, -2.0, 0.1, 3.0]), torch.tensor([0.3, 1.7, 4.0, 0.05])
    made = attempt("LatentStatistics(mean, std)", lab.LatentStatistics, *two)
    m, s = (x.double()[:, None, None, None] for x in two)
    rows = [(values.noise(seed + k, *size),) for k, size in enumerate(((2, 4, 3, 5, 6), (1, 4, 1, 2, 3)))]
    normalize.table(made.normalize, rows, lambda latents: (latents - m) / s, {
        "the mean is not subtracted": lambda latents: latents / s,
        "divide by the standard deviation, after the mean is subtracted": lambda latents: (latents - m) * s,
        "subtract the mean first, then divide": lambda latents: latents / s - m,
        "those are the batch's own statistics. Use self.mean and self.std":
            lambda x: (x - x.mean((0, 2, 3, 4), True)) / x.std((0, 2, 3, 4), correction=0, keepdim=True),
    }, tolerance=1e-4)  # fmt: skip
    low, because = rows[0][0].half(), "half precision rounds the difference: convert to float32 first"
    normalize(made.normalize, low).near((low - m) / s, because=because, tolerance=1e-4)
    denormalize.table(made.denormalize, rows, lambda latents: latents * s + m, {
        "multiply by the standard deviation first, then add the mean": lambda latents: (latents + m) * s,
    })  # fmt: skip
    denormalize(made.denormalize, low).near(low * s + m, because=because, tolerance=1e-4)


@exercise("LatentStatistics", points=1, hint="latents.float() first; ValueError unless amax > amin in every channel")
def test_statistics_owes(lab, seed):
    """half precision is converted, a large mean hides no spread, a constant channel is refused; views do as well"""
    z = values.noise(seed, 2, 3, 4, 40, 50)
    for far, because in (
        ((8 * z + 300).half(), "half precision cannot add so many numbers: convert to float32 first"),
        (z / 2 + 3000, "subtract the mean before you square: the squares of large numbers lose the spread"),
    ):
        for part, what in (("mean", torch.mean), ("std", spread)):
            fit(lab.LatentStatistics.fit, far)[part].near(by_channel(far, what), because=because, tolerance=1e-4)
    flat = raw(seed, 2, 3, 2, 3, 4)
    for value in (0.5, 0.1):  # whose sum is rounded
        flat[:, 1] = value
        fit.refuses(lab.LatentStatistics.fit, flat, because=f"channel 1 is {value} everywhere: it has no scale")
    flat[:, 1] = 1e-6 * flat[:, 0]  # a small scale is a scale
    assert fit(lab.LatentStatistics.fit, flat)["std"].value[1] > 0
    found = theorems.owes(fit, lab.LatentStatistics.fit, raw(seed, *SIZES[0]), batch_of_one=False).value
    for call, method in ((normalize, found.normalize), (denormalize, found.denormalize)):
        theorems.owes(call, method, raw(seed + 3, *SIZES[0]))


encode = Call("PixelCoder(p).encode", {"clips": "b c t h w"}, tensor("b v t y x", "same"), parameters=("clips", "p"))
decode = Call("PixelCoder(p).decode", {"latents": "b v t y x"}, tensor("b c t h w", "same"), parameters=("latents",))
GRIDS = ((2, 3, 5, 12, 20, 4), (3, 3, 2, 4, 6, 2), (1, 3, 4, 6, 3, 3))


def patched(clips, p, place=lambda c, row, column, p: (c * p + row) * p + column, tiles=True):
    """Oracle: pixel by pixel. `place`: which channel a pixel goes to; `tiles`: whether a patch is a tile."""
    b, _, t, height, width = clips.shape
    out = clips.new_zeros(b, 3 * p * p, t, height // p, width // p)
    for c, y, x in itertools.product(range(3), range(height), range(width)):
        row, column = (y % p, x % p) if tiles else (y // (height // p), x // (width // p))
        i, j = (y // p, x // p) if tiles else (y % (height // p), x % (width // p))
        out[:, place(c, row, column, p), :, i, j] = clips[:, c, :, y, x]
    return out


ORDERS = {
    "the colour is innermost in the channels, and it should be outermost: (c row column)":
        {"place": lambda c, row, column, p: (row * p + column) * 3 + c},
    "inside a patch the column comes before the row: (c row column)":
        {"place": lambda c, row, column, p: (c * p + column) * p + row},
    "the pixels of a patch are far apart in the frame. A patch is a tile: (h row) (w column)": {"tiles": False},
}  # fmt: skip


@exercise("PixelCoder", points=3, hint='"b c t (h row) (w column) -> b (c row column) t h w", row=p, column=p')
def test_coder_encode(lab, seed, look):
    """each patch of each frame becomes one vector: colour outermost, then the row, then the column"""
    rows = [(values.distinct(seed + k, *size[:5]), size[5]) for k, size in enumerate(GRIDS)]
    mistakes = {message: lambda clips, p, o=o: patched(clips, p, **o) for message, o in ORDERS.items()}
    answers = encode.table(lambda clips, p: lab.PixelCoder(p).encode(clips), rows, patched, mistakes, tolerance=0)
    look(target=patched(*rows[1])[0, :, 0, 1, 2], yours=answers[1].value[0, :, 0, 1, 2])


@exercise("PixelCoder", points=2, hint="the same two sides of the pattern, swapped")
def test_coder_decode(lab, seed):
    """decode puts every number back where it was"""
    for k, (*size, p) in enumerate(GRIDS):
        clips, coder = values.distinct(seed + k, *size), attempt("PixelCoder(p)", lab.PixelCoder, p)
        because = f"with {p=} it is the clip whose patches these are, in the order (c row column)"
        decode(coder.decode, patched(clips, p)).equal(clips, because=because)


@exercise("PixelCoder", points=1, hint="if H % p or W % p: raise ValueError(…)")
def test_coder_owes(lab, seed):
    """a frame that the patches do not divide is refused; any dtype; 8 is the usual patch; views do as well"""
    for height, width, p in ((12, 10, 4), (9, 12, 4), (12, 9, 6)):
        encode.refuses(lab.PixelCoder(p).encode, torch.zeros(1, 3, 2, height, width), because=f"{p=} does not fit")
    clips = values.distinct(seed, *GRIDS[0][:5])
    large = clips.long() + 2**40  # no float32 holds these
    for some in ((clips % 200).to(torch.uint8), (clips % 200).half(), large):
        encode(lab.PixelCoder(4).encode, some).equal(patched(some, 4))
        decode(lab.PixelCoder(4).decode, patched(some, 4)).equal(some)
    eight, usual = values.distinct(seed, 1, 3, 2, 16, 8), attempt("PixelCoder()", lab.PixelCoder)
    encode(usual.encode, eight).equal(patched(eight, 8))
    for call, method, given in ((encode, "encode", clips), (decode, "decode", patched(clips, 4))):
        theorems.owes(call, getattr(lab.PixelCoder(4), method), given)


run = Call("equal_time_run", sizes=lambda given: {"arms": list(given["steps"])}, parameters=("steps", "core_seconds"),
           gives=mapping(each(record("tuple", seconds=number(), loss=number())), keys="arms"))  # fmt: skip


def on_a_clock(lab, steps, core_seconds, tick=0.0):
    """The answer for steps that take so many seconds. A loss is the number of the turn: 0, 1, 2, …"""
    clock, turn, waits = Clock(), itertools.count(), itertools.cycle((3 * tick, tick))

    def look():  # the looks before steps take longer than those after: time between steps is no arm's
        clock.now += next(waits)
        return clock.now

    tasks = {name: clock.task(name, *each, does=lambda: float(next(turn))) for name, each in steps.items()}
    return lab.equal_time_run(tasks, core_seconds, look)


def simulated(steps, budget, tick=0.0, *, pick=lambda budget, used, curves: min(used, key=used.get),
              done=lambda budget, used: min(used.values()) >= budget,
              stamp=lambda before, took, total: before + took):  # fmt: skip
    """Oracle. `pick`: who is next; `done`: whether the run ends; `stamp`: the time that is kept."""
    used, left = dict.fromkeys(steps, 0.0), {name: list(each) for name, each in steps.items()}
    curves, total = {name: [] for name in steps}, 0.0
    for turn in itertools.count():
        if done(budget, used):
            return curves
        name = pick(budget, used, curves)
        took = tick + (left[name].pop(0) if len(left[name]) > 1 else left[name][0])
        total += took
        curves[name].append((stamp(used[name], took, total), float(turn)))
        used[name] += took


TURNS = [
    ({"slow": (3.0,), "fast": (0.5,)}, 6.0), ({"fast": (1.0,), "slow": (2.5,), "middle": (2.0,)}, 7.0),
    ({"warm": (4.0, 1.0, 0.5), "even": (1.5,)}, 5.0), ({"alone": (0.75,)}, 2.0),
    ({"a": (2.0,), "b": (2.0,), "c": (1.0,)}, 4.0),
]  # fmt: skip
MISTAKES = {
    "the arms run one after the other. Choose again after every step, so that they take turns":
        partial(simulated, pick=lambda budget, used, curves: next(name for name in used if used[name] < budget)),
    "the arms make equal steps, one each per round. The next is the one that has used the least time":
        partial(simulated, pick=lambda budget, used, curves:
                min((name for name in used if used[name] < budget), key=lambda name: len(curves[name]))),
    "it ends when the first arm has had its time. Every arm gets core_seconds":
        partial(simulated, done=lambda budget, used: max(used.values()) >= budget),
    "an arm that has used exactly core_seconds is done, and makes no further step":
        partial(simulated, done=lambda budget, used: min(used.values()) > budget),
    "among equals the first arm in steps is next, not the last":
        partial(simulated, pick=lambda budget, used, curves: min(reversed(used), key=used.get)),
    "the time of each pair is that of one step. It is the arm's time so far":
        partial(simulated, stamp=lambda before, took, total: took),
    "the time of each pair is the arm's before the step. It is the time after it":
        partial(simulated, stamp=lambda before, took, total: before),
    "the time of each pair is that of all arms together. It is the arm's own":
        partial(simulated, stamp=lambda before, took, total: total),
}  # fmt: skip


@exercise("equal_time_run", points=5, hint="name = min(used, key=used.get), one step, used[name] += clock() - began")
def test_equal_turns(lab, seed, look):
    """the arm with the least time makes one step, until all have had core_seconds; its time and loss are kept"""
    because = "for steps that take so many seconds, and losses that count the turns"
    answers = run.table(partial(on_a_clock, lab), TURNS, simulated, MISTAKES, because=because)
    look(target=simulated(*TURNS[0])["fast"], yours=answers[0].value["fast"])


@exercise("equal_time_run", points=2, hint="began = clock() right before steps[name](), clock() - began right after it")
def test_equal_own_time(lab, seed):
    """an arm pays for its own steps: one look at the clock right before each, one right after"""
    rows = [(*row, tick) for row, tick in zip(TURNS, (0.25, 0.125, 0.5, 0.25, 0.0625))]
    because = "each look at the clock takes a moment, once charged per step"
    run.table(partial(on_a_clock, lab), rows, simulated, because=because)
    clock = Clock(now=-7.5)
    answer = run(lab.equal_time_run, {"one": clock.task("one", 1.0, does=lambda: 0.5)}, 2.0, clock=clock)
    answer.equal({"one": [(1.0, 0.5), (2.0, 0.5)]})


@exercise("equal_time_run", points=1, hint="if not core_seconds > 0: raise ValueError(…), before any step")
def test_equal_owes(lab, seed):
    """no time is refused before any step; a second run begins at zero"""
    clock = Clock()
    for budget in (0.0, -1.0):
        run.refuses(lab.equal_time_run, {"one": clock.task("one", 1.0)}, budget, clock=clock)
    assert not clock.calls, "equal_time_run with no time made a step before it raised ValueError"
    again = [run(partial(on_a_clock, lab), *TURNS[0]).value for _ in range(2)]
    judge("a second run with the same arms", again[1], again[0], because="something is kept from run to run")


read = Call("decode_and_read", takes={"latents": "b c t h w"}, gives=graders.instance(Share, called="a Share"),
            parameters=("latents", "captions", "statistics", "decode", "batch_size"))  # fmt: skip
MEAN, STD = torch.tensor([0.4, -0.3, 0.2]), torch.tensor([2.0, 0.4, 1.25])


class Statistics:
    """Of three channels; what a LatentStatistics has."""

    mean, std = MEAN, STD
    normalize = lambda self, z: (z - MEAN[:, None, None, None]) / STD[:, None, None, None]  # noqa: E731
    denormalize = lambda self, z: z * STD[:, None, None, None] + MEAN[:, None, None, None]  # noqa: E731


class Decoder(Keeps, logs=("given", "made")):
    """Its latents are pixels. Bright corners leave [-1, 1]; it learns, so a gradient shows; it remembers its calls."""

    def __init__(self):
        self.gain, self.given, self.made = torch.nn.Parameter(torch.ones(())), [], []

    def __call__(self, latents):
        self.given.append(latents.detach().clone())
        corner = torch.zeros(latents.shape[-2:])
        corner[:2, :2], corner[-2:, :2] = 4, -4
        self.made.append(self.gain * latents + corner)
        return self.made[-1]


@cache
def drawn(seed):
    return MiniSprites("test").batch(range(seed * 100, seed * 100 + 5))


def asked(seed, count, wrong=()):
    """Clips, normalized latents, captions: those in `wrong` name another colour (even ones) or another motion."""
    clips, captions = drawn(seed).clips()[:count], list(drawn(seed).captions[:count])
    for k in range(0, count, 2):  # the size does not count
        captions[k] = re.sub("large|small", lambda size: {"large": "small"}.get(size[0], "large"), captions[k], count=1)
    for k in wrong:
        words = captions[k].split()  # a large green circle moves left over a white field
        words[2:3] = [next(color for color in COLORS if color != words[2])] if k % 2 == 0 else words[2:3]
        words[4:-4] = words[4:-4] if k % 2 == 0 else ["orbits" if words[4] == "bounces" else "bounces"]
        captions[k] = " ".join(words)
    return clips, Statistics().normalize(clips), captions


@exercise("decode_and_read", points=3, hint="Share(sum of row['right'] over all pieces, len(latents))")
def test_read_counts(lab, seed):
    """how many clips are right, of how many, whatever the size of the pieces"""
    for count, wrong, batch_size in ((5, (1, 4), 2), (4, (0, 1, 2), 3), (2, (), 50)):
        _, latents, captions = asked(seed, count, wrong)
        answer = read(lab, latents, captions, Statistics(), Decoder(), batch_size)
        said = f"decode_and_read of {count} latents, {len(wrong)} of them with another clip's caption, {batch_size=}"
        got = (answer.value.right, answer.value.total)
        last = sum(k not in wrong for k in range((count - 1) // batch_size * batch_size, count))
        narrow = sum(k % 2 and k not in wrong for k in range(count))  # those whose size is right too
        mistakes = {"only the last piece counts": (last, count), "the wrong ones are counted": (len(wrong), count)}
        mistakes['a clip counts if its "right" is true, whatever else is not as asked'] = narrow, count
        judge(said, got, (count - len(wrong), count), mistakes, because="it is (right, total)")
        assert type(answer.value.right) is int, f"{said}: right is {answer.value.right!r}, and a count is an int"


@exercise("decode_and_read", points=3, hint="decode(statistics.denormalize(latents[piece])).clamp(-1, 1)")
def test_read_clips(lab, seed, monkeypatch, look):
    """what is read are the clips: denormalized latents, decoded, clamped to [-1, 1]"""
    clips, latents, captions = asked(seed, 3)
    spy = Recorder(read_sprites)
    monkeypatch.setattr("common.evaluation.mini.read_sprites", spy)
    read(lab, latents, captions, Statistics(), Decoder(), 2)
    seen = [clips.detach() for (clips, *_), _ in spy.calls]
    assert seen, "decode_and_read read no clip: mini_agreement(captions, clips) does it"
    made = lambda z: Decoder()(z).detach()  # noqa: E731
    judge("what decode_and_read gave to mini_agreement", torch.cat(seen), made(clips).clamp(-1, 1), {
        "the decoder leaves [-1, 1]: clamp what it gives": made(clips),
        "the latents are decoded without being denormalized": made(latents).clamp(-1, 1),
        "clips are in [-1, 1], not in [0, 1]": made(clips).clamp(0, 1),
    }, because="it is decode(statistics.denormalize(latents)), clamped to [-1, 1]", axes=("b", "c", "t", "h", "w"),
          tolerance=1e-4)  # fmt: skip
    look(target=made(clips).clamp(-1, 1)[0], yours=torch.cat(seen)[0])


@exercise("decode_and_read", points=2, hint="for start in range(0, len(latents), batch_size)")
def test_read_pieces(lab, seed):
    """decode gets at most batch_size samples at a time, all of them once and in order"""
    for count, batch_size in ((5, 2), (2, 1), (2, 7)):
        clips, latents, captions = asked(seed, count)
        decoder = Decoder()
        read(lab, latents, captions, Statistics(), decoder, batch_size)
        said, most = f"decode_and_read of {count} latents with {batch_size=}", max(map(len, decoder.given))
        assert most <= batch_size, f"{said} gave {most} samples to decode at once"
        judge(f"{said}: what decode got", torch.cat(decoder.given), clips, tolerance=1e-4,
              because="each sample once, denormalized, in order")  # fmt: skip


@exercise("decode_and_read", points=1, hint="@torch.no_grad() above the function; compare the lengths first")
def test_read_owes(lab, seed):
    """no gradient is kept; as many captions as latents, at least one; inputs stay as they are"""
    _, latents, captions = asked(seed, 2)
    decoder = Decoder()
    read(lab, latents, captions, Statistics(), decoder, 2)
    keeps = any(clips.requires_grad for clips in decoder.made)
    assert not keeps, "decode_and_read keeps the decoder's gradients: put @torch.no_grad() above the function"
    for some, texts in ((latents, captions[:1]), (latents[:1], captions), (latents[:0], [])):
        for size in (1, 2):
            read.refuses(lab, some, texts, Statistics(), Decoder(), size, because="not one caption per latent")
