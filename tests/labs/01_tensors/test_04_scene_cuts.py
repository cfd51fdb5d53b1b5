"""Grader of lab 01.4, the scene-cut detector.

Oracles: hat functions, the formulas as plain loops, an exhaustive search for pairs, and a film whose frames are known.
"""

import weakref
from functools import partial
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest

from common import video
from common.course.graders import Call, array, each, instance, integers, judge, number, record, theorems, values
from common.data import clip_path
from common.video import VideoReader

exercise = pytest.mark.exercise


histogram = Call("colour_histograms", {"frames": "t h w c"}, gives=array("t rgb bins", np.float32),
                 sizes=lambda given: {"rgb": 3, "bins": given.get("bins", 8)})  # fmt: skip


def shared_out(frames, bins=8):
    """Oracle: each value counts for each level by a hat function of its distance."""
    position = frames * ((bins - 1) / 255)  # (T, H, W, 3)
    return np.maximum(0, 1 - np.abs(position[..., None] - np.arange(bins))).mean(axis=(1, 2))  # (T, 3, bins)


@exercise("colour_histograms", points=5, hint="Count 1 - share below and share above; divide by H * W.")
def test_histogram_formula(lab, seed, look):
    """the fraction of each frame at each level of red, of green and of blue: each channel sums to 1"""
    sizes = (3, 5, 4), (2, 7, 3), (4, 3, 5), (2, 4, 6), (3, 2, 7), (2, 6, 5), (2, 3, 2)
    rows = [(values.bytes_(seed, *size, 3), {"bins": b}) for size, b in zip(sizes, (8, 5, 30, 2, 256, 255, 3))]
    plain = {(255, 0, 170): 4, (0, 255, 85): 4, (255, 51, 204): 6, (255, 0, 255): 2, (1, 255, 254): 256,
             (51, 102, 204): 2, (40, 230, 254): 8}  # fmt: skip
    rows += [(np.full((2, 3, 5, 3), colour, np.uint8), {"bins": bins}) for colour, bins in plain.items()]
    mistakes = {
        "these are counts. Divide by the pixels of a frame, H * W": lambda f, bins: shared_out(f, bins) * f[0].size / 3,
        "you divide by the pixels of all frames, not of one": lambda f, bins: shared_out(f, bins) / len(f),
        "blue comes first. The order is red, green, blue": lambda f, bins: shared_out(f, bins)[:, ::-1],
    }
    because = "the value v is at v * (bins - 1) / 255: the level below gets 1 - share, and the one above share"
    histogram.table(lab, rows, shared_out, mistakes, because=because)
    leap = video.read_frames(clip_path("leap"), [10, 30], size=36)
    answer = histogram(lab, leap).near(shared_out(leap), because="without bins there are 8")
    look(target=shared_out(leap)[:, 0].ravel(), yours=answer.value[:, 0].ravel())


@exercise("colour_histograms", points=3, hint="One histogram per frame. Check dtype, shape and bins first.")
def test_histogram_of_each_frame(lab, seed):
    """each frame for itself, one pixel too; other than uint8 (T, H, W, 3), or other bins, is a ValueError"""
    frames = values.bytes_(seed, 4, 5, 6, 3)
    because = "each frame has a histogram of its own"
    theorems.moves(histogram, lab, frames // 2, change={"frames": 2}, along="t", only=[2], by=60, because=because)
    histogram(lab, frames[:1, :1, :1], bins=4).near(shared_out(frames[:1, :1, :1], 4), because="one frame of one pixel")
    theorems.owes(histogram, lab, frames, truth=shared_out, other=(frames[::-1] // 3,), bins=5)
    for bins in (1, 0, -2, 257):
        histogram.refuses(lab, values.bytes_(0, 3, 6, 7, 3), bins=bins)
    refuses_frames(histogram, lab)


def refuses_frames(call, lab, **options):
    frames = values.bytes_(0, 3, 6, 7, 3)
    four = np.concatenate([frames, frames[..., :1]], axis=-1)
    for other in (frames / np.float32(255), frames.astype(np.int64), frames > 99, frames[0], frames[None],
                  frames[..., :1], frames[..., 0], four, frames.transpose(0, 3, 1, 2)):  # fmt: skip
        call.refuses(lab, other, **options)


block = Call("block_features", {"frames": "t h w c"}, gives=array("t n", np.float32),
             sizes=lambda given: {"n": given.get("grid", 4) ** 2 * 5})  # fmt: skip


def described(frames, grid=4, bounds=lambda i, n, grid: i * n // grid, size=np.abs, order=(2, 0, 1, 3)):
    """Oracle, block by block. What comes after `grid` makes mistakes: `size` of a change, `order` of the numbers."""
    pixels = frames / 255
    grey = pixels.mean(axis=-1)
    right = size(np.diff(grey, axis=2, append=grey[:, :, -1:]))
    below = size(np.diff(grey, axis=1, append=grey[:, -1:]))
    maps = np.concatenate([pixels, right[..., None], below[..., None]], axis=-1)  # (T, H, W, 5)
    rows, columns = ([slice(bounds(i, n, grid), bounds(i + 1, n, grid)) for i in range(grid)] for n in maps.shape[1:3])
    means = np.array([[maps[:, row, column].mean(axis=(1, 2)) for column in columns] for row in rows])
    return means.transpose(order).reshape(len(frames), -1)  # from (row, column, T, number)


@exercise("block_features", points=5, hint="np.abs(np.diff(grey, axis=..., append=...)); five numbers per block.")
def test_block_formula(lab, seed, look):
    """mean red, green, blue and |change of grey| to the right, downwards, block by block; no pixel is left out"""
    sizes = (2, 8, 12), (3, 6, 9), (2, 10, 15), (1, 11, 7), (2, 5, 6), (2, 4, 3), (2, 9, 11)
    rows = [(values.bytes_(seed, *size, 3), {"grid": grid}) for size, grid in zip(sizes, (4, 3, 4, 3, 5, 1, 2))]
    mistakes = {
        "the values are those of bytes, 0 to 255. Divide by 255": lambda frames, grid: 255 * described(frames, grid),
        "the blocks come column by column, not row by row": partial(described, order=(2, 1, 0, 3)),
        "all reds come first, then all greens. Keep a block's five numbers together":
            partial(described, order=(2, 3, 0, 1)),
        "what is left over of H / grid is in no block": partial(described, bounds=lambda i, n, grid: i * (n // grid)),
        "the two edge numbers are swapped: first to the right, then downwards":
            lambda frames, grid: described(frames, grid).reshape(-1, 5)[:, [0, 1, 2, 4, 3]].reshape(len(frames), -1),
        "edges up and edges down cancel. Take absolute values before the mean": partial(described, size=np.array),
    }  # fmt: skip
    because = (
        "number n belongs to block n // 5, in reading order: mean red, green and blue, 0 to 1, then the mean absolute "
        "change of grey, the mean of the three, to the right and downwards. Where nothing lies beyond it counts as 0"
    )
    block.table(lab, rows, described, mistakes, because=because)
    leap = video.read_frames(clip_path("leap"), [10, 30], size=36)
    target, yours = (x.reshape(2, 4, 4, 5)[..., :3] * 255 for x in (described(leap), block(lab, leap).value))
    look(target=target.astype(np.uint8), yours=yours.astype(np.uint8))


@exercise("block_features", points=2, hint="The means are over rows and columns only. Check dtype, shape and grid.")
def test_block_each_frame(lab, seed):
    """each frame for itself; another shape or type, or a grid that does not fit the picture, is a ValueError"""
    frames = values.bytes_(seed, 4, 12, 16, 3)
    leap, because = video.read_frames(clip_path("leap"), [10], size=36), "the features of a frame are its own"
    block(lab, leap).near(described(leap), because="one frame, with the default grid of 4")
    theorems.moves(block, lab, frames // 2, change={"frames": (1, 4, 5)}, along="t", only=[1], by=60, because=because)
    theorems.owes(block, lab, frames, truth=described, other=(frames[::-1] // 3,), grid=3)
    refuses_frames(block, lab, grid=1)
    for grid in (0, -1, 7):
        block.refuses(lab, values.bytes_(0, 2, 6, 9, 3), grid=grid)
        block.refuses(lab, values.bytes_(0, 2, 9, 6, 3), grid=grid)


find = Call("find_cuts", {"descriptors": "t d"}, gives=integers())


def cuts_of(descriptors, window=4, ratio=2.5, floor=0.2):
    """Oracle: the two formulas, frame by frame."""
    x = descriptors.astype(np.float64)
    far = np.abs(x[:, None] - x).sum(axis=-1)  # (T, T)
    steps, found = far.diagonal(1).tolist() if len(x) > 1 else [], []
    for t in range(1, len(x)):
        first, last = max(0, t - window), min(len(x), t + window)
        between = far[first:t, t:last].min()
        within = (max([0, *steps[first : t - 1]]) + max([0, *steps[t : last - 1]])) / 2
        if between > floor and between > ratio * within:
            found.append(t)
    return found


def film(*numbers):
    """Frames that are described by one number each, (T, 1)."""
    return np.array(numbers, np.float32).reshape(-1, 1)


STILL = [0.0] * 9


@exercise("find_cuts", points=2, hint="between at t compares frames up to t - 1 with frames from t on.")
def test_find_hard_cuts(lab, seed):
    """a still shot, a cut, another still shot: the first frame of the new shot is reported"""
    rows = []
    for lengths in ((6, 9), (7, 5, 8), (5, 6, 7, 4)):
        shots = values.uniform(seed, len(lengths), 5, low=0).numpy() + np.arange(len(lengths))[:, None]
        rows.append((np.repeat(shots.astype(np.float32), lengths, axis=0),))
    mistakes = {
        "those are the last frames of the old shots, one too early": lambda shots: [t - 1 for t in cuts_of(shots)],
        "those are one too late": lambda shots: [t + 1 for t in cuts_of(shots)],
    }
    find.table(lab, rows, cuts_of, mistakes, tolerance=0, because="the film jumps from one still shot to the next")


@exercise("find_cuts", points=4, hint="The smallest distance of any pair; the mean of the largest steps of both sides.")
def test_find_ignores_flashes_and_slow_changes(lab):
    """a flash shorter than the window is no cut, and neither are fades, dissolves and fast motion"""
    lengths, windows = (1, 2, 3, 3, 4, 4, 2, 1, 1), (4, 4, 4, 4, 4, 5, 2, 2, 1)
    for length, level, window in zip(lengths, (1, 5, 1, 5, 1, 1, 1, 1, 1), windows):
        shown = f"frames 9 to {8 + length} are a flash, and the window is {window}:"
        cuts, so = ([], "the picture comes back") if length < window else ([9, 9 + length], "a shot of its own")
        find(lab, film(*STILL, *[level] * length, *STILL), window=window).equal(cuts, because=f"{shown} {so}")
    for name, changing in (
        ("a flash at 9 that dies away over three frames: the picture comes back", film(*STILL, 1.0, 0.6, 0.3, *STILL)),
        ("a fade of 10 frames", film(*STILL, *[k * 0.4 for k in range(1, 10)], *[4.0] * 8)),
        ("a dissolve of 5 frames", film(*STILL, 0.5, 1.0, 1.5, 2.0, *[2.5] * 8)),
        ("a whip pan that begins and ends suddenly", film(*STILL, *range(1, 9), *[9.0] * 8)),
        ("motion that never stops", film(*[0.75 * k for k in range(30)])),
        ("a movement from the first frame on", film(*range(6), *[6.0] * 9)),
        ("a movement up to the last frame", film(*STILL, *range(1, 7))),
    ):
        find(lab, changing).equal([], because=f"this is {name}: compare between with the steps within each side")


@exercise("find_cuts", points=2, hint="Neither the larger nor the smaller of the two sides: their mean.")
def test_find_cut_beside_motion(lab):
    """a cut between a moving and a still shot: within is the mean of both sides' largest steps"""
    moving = [0.0, 0.5, 1.5, 2.5, 3.5, 4.5]
    sides = "between is 2.5 at the cut, the largest steps are 1 and 0, so within is 0.5"
    zeros = "of the steps 0, 0, 1 before frame 6 the largest counts, after it is none: within is 0.5 and between is 2"
    for shots, cuts, ratios, because in (
        (film(*moving, *[7.0] * 8), [6], (4.0, 4.75, 5.25, 6.0), f"still after moving: {sides}"),
        (film(*[7.0] * 8, *moving[::-1]), [8], (4.0, 4.75, 5.25, 6.0), f"moving after still: {sides}"),
        (film(0, 0, 0, 1, 1, 1, 3, 3, 3, 3, 3, 3), [6], (3.0, 3.75, 4.25, 4.5), zeros),
    ):
        for ratio, found in zip(ratios, (cuts, cuts, [], [])):
            find(lab, shots, ratio=ratio).equal(found, because=because)


def restless(seed, num_shots=6):
    """A film of shots that move more or less, (T, 4). Its numbers are whole 64ths, so that no sum is ever rounded."""
    random = np.random.default_rng(seed)
    shots = [random.normal(0, 3, 4) + random.normal(0, random.choice([0.02, 0.2, 0.6]), (n, 4)).cumsum(axis=0)
             for n in random.integers(2, 12, num_shots)]  # fmt: skip
    return (np.concatenate(shots) * 64).round().astype(np.float32) / 64


@exercise("find_cuts", points=3, hint="Write the two formulas as loops: every pair, both sides, both limits.")
def test_find_formula(lab, seed, look):
    """on restless films, for several windows, ratios and floors, exactly what the formulas say"""
    limits = (4, 2.5, 0.2), (3, 2.0, 0.5), (2, 3.0, 0.1), (1, 2.5, 3.0), (6, 2.25, 0.0), (40, 2.5, 0.2), (5, 2.0, 6.0)
    settings = [dict(zip(("window", "ratio", "floor"), numbers)) for numbers in limits] + [{}]
    rows = [(restless(seed + k + n), options) for k, options in enumerate(settings) for n in (0, 50)]
    because = "write the two formulas as loops and compare them with yours"
    find.table(lab, rows, cuts_of, tolerance=0, because=because)
    shots = restless(seed, 9)
    answer = theorems.owes(find, lab, shots, truth=cuts_of, other=(shots[::-1],), tolerance=0, window=3)
    marks = [np.isin(np.arange(len(shots)), cuts).astype(float) for cuts in (cuts_of(shots, 3), answer.value)]
    look(target=marks[0], yours=marks[1])
    find(lab, shots.astype(np.float64)).equal(cuts_of(shots), because="descriptors may be float64 too")


@exercise("find_cuts", points=3, hint="np.abs(a - b).sum(axis=-1); between > floor, whatever the ratio says.")
def test_find_limits(lab):
    """the distance is a sum and has to exceed both limits; at the ends a side has fewer frames; nonsense is refused"""
    apart = np.zeros((16, 4), np.float32)
    apart[8:] = (0.3, -0.3, 0.3, -0.1)  # sum of absolute differences 1.0; sum 0.2; root of squares 0.53; mean 0.25
    away = np.array([(0, 0), (1, 0), (2, 0), (3, 0), (0, 3), (0, 2), (0, 1), (0, 0)], np.float32)
    for shots, options, cuts, because in (
        (away, {"ratio": 2, "floor": 0}, [], "the first and the last frame are alike: at 4 they are compared, 7 apart"),
        (apart, {"floor": 0.9}, [8], "the descriptors differ by 0.3, -0.3, 0.3, -0.1: a distance of 1"),
        (apart, {"floor": 1.1}, [], "the descriptors differ by 0.3, -0.3, 0.3, -0.1: a distance of 1"),
        (film(*STILL, *[0.1] * 9), {}, [], "a step of 0.1 is below the floor of 0.2"),
        (film(*STILL, *[1.0] * 9), {"floor": 1.0}, [], "between is exactly the floor, and has to exceed it"),
        (film(0, 2, 7, 9), {"window": 2, "floor": 0.0}, [], "between is 5 at 2 and within is 2: exactly ratio times"),
        (film(*STILL, *[0.1] * 9), {"floor": 0}, [9], "with a floor of 0 a step of 0.1 between still frames is a cut"),
        (film(0, 1), {}, [1], "two frames"), (film(5), {}, [], "one frame"), (film(), {}, [], "no frame at all"),
        (film(1, *STILL), {}, [1], "the first frame is a shot of its own"), (film(0, 0, 0), {}, [], "nothing changes"),
        (film(*STILL, 1), {}, [9], "the last frame is a shot of its own"), (film(0, 0, *[1] * 5), {}, [2], "short"),
        (film(0, 0, 0, 1, 1), {"window": 50}, [3], "the window is longer than the film"),
        (film(*[4096.0] * 6, *[4096.5] * 6), {}, [6], "a small step between large numbers"),
    ):  # fmt: skip
        find(lab, shots, **options).equal(cuts, because=because)
    shots = np.zeros((9, 3), np.float32)
    for options in ({"window": 0}, {"window": -1}, {"ratio": 1.5}, {"ratio": 1.99}, {"ratio": -3.0}, {"floor": -0.25}):
        find.refuses(lab, shots, **options)
        find.refuses(lab, shots[:1], **options)
    find.refuses(lab, shots[:, 0])
    find.refuses(lab, np.zeros((9, 2, 2, 3)))


SCORES = record(precision=number(), recall=number(), f1=number())
score = Call("cut_scores", gives=SCORES, parameters=("found", "true", "tolerance"))


def most_pairs(found, true, tolerance):
    """Oracle: the largest number of pairs, by trying every choice."""
    few, many = sorted((found, true), key=len)
    return max(sum(abs(a - b) <= tolerance for a, b in zip(few, some)) for some in permutations(many, len(few)))


def scored(found, true, tolerance=1, pairs=most_pairs, f1=None):
    """Oracle: (precision, recall, F1). `pairs` and `f1` make mistakes."""
    found, true = [int(cut) for cut in found], [int(cut) for cut in true]
    hits = pairs(found, true, tolerance)
    precision, recall = hits / len(found) if found else 1.0, hits / len(true) if true else 1.0
    plain = 2 * hits / (len(found) + len(true)) if found or true else 1.0
    return precision, recall, f1(precision, recall) if f1 else plain


@exercise("cut_scores", points=3, hint="hits / found, hits / true, 2 hits / (found + true).")
def test_scores_fractions(lab):
    """hits among the found, hits among the true, and F1; cuts that lie `tolerance` apart, on either side, are a pair"""
    rows = [([30, 77, 200], [30, 76, 137]), ([30, 200, 300, 400], [30, 76]), ([5], [5, 50, 100]), ([10, 20], [10, 20])]
    mistakes = {
        "precision and recall are swapped: precision is about what was found": lambda found, true: scored(true, found),
        "F1 is 2 hits / (found + true), not the plain mean of the two": partial(scored, f1=lambda p, r: (p + r) / 2),
        "these are percentages. Fractions from 0 to 1 are asked for": lambda *two: [100 * x for x in scored(*two)],
    }
    score.table(lab, rows, scored, mistakes, because="hits / found, hits / true, 2 hits / (found + true)")
    rows = [([50 + off], [50], n) for n in (0, 1, 3, 40) for off in range(-n - 1, n + 2)]
    mistakes = {"`tolerance` is not used": lambda found, true, tolerance: scored(found, true)}
    score.table(lab, rows, scored, mistakes, because="at most `tolerance` frames apart, early or late, is a pair")
    score(lab, [48, 71, 90], [50, 70]).near(scored([48, 71, 90], [50, 70]), because="without a tolerance it is 1")


@exercise("cut_scores", points=2, hint="A true cut that has been hit is taken.")
def test_scores_one_to_one(lab, seed):
    """each cut belongs to at most one pair, and no possible pair is wasted: as an exhaustive search scores them"""

    def anyone(found, true, tolerance):
        return sum(any(abs(a - b) <= tolerance for b in true) for a in found)

    mistakes = {"a true cut is hit several times. Each belongs to one pair at most": partial(scored, pairs=anyone)}
    rows = [([29, 30, 31], [30]), ([30], [29, 31]), ([30, 30], [30]), ([30, 30], [30, 31]), ([7, 8, 7], [7, 7])]
    because = "each cut belongs to at most one pair, and the same number twice is two claims"
    score.table(lab, rows, scored, mistakes, because=because)
    random = np.random.default_rng(seed)
    rows = [([11, 10], [11, 12]), ([10, 11], [11, 12]), ([12, 11, 13], [11, 12, 14]), ([5, 3, 4], [4, 5, 6])]
    for tolerance in random.integers(0, 4, 20):
        rows.append((*(random.integers(1, 25, n).tolist() for n in (5, 6)), int(tolerance)))
    score.table(lab, rows, scored, because="as many pairs are made as can be, in whatever order the cuts are given")


@exercise(
    "cut_scores", points=3, hint="sorted() makes a list of whatever it is given. hits / len(found) if found else 1"
)
def test_scores_any_iterable(lab):
    """any iterables; none found: precision 1; none there: recall 1; a tolerance below 0 is a ValueError"""
    theorems.owes(score, lab, [40, 3, 90], [4, 39], truth=scored, other=([1], [2, 3]), iterables=("found", "true"))
    rows = [(np.array([40, 3, 90]), np.array([39, 80])), ({3, 40}, range(39, 42))]
    score.table(lab, rows, scored, because="arrays of numbers, a set and a range will do")
    nothing = np.array([], int)
    rows = [([], [30, 76]), ([30, 76], []), ([], []), ((), ()), ([30], [76]), (nothing, nothing)]
    score.table(lab, rows, scored, because="none found: precision 1; none there: recall 1; neither: F1 1; no hit: 0")
    score(lab, iter(()), iter([4])).near((1, 0, 0), because="the first is an iterator with nothing in it")
    for found, tolerance in (([1], -2), ([], -1)):
        score.refuses(lab, found, [], tolerance)


divide = Call("shot_ranges", gives=each(record("tuple", start=number(whole=True), stop=number(whole=True))),
              parameters=("cuts", "num_frames"))  # fmt: skip


def shots_of(cuts, num_frames):
    return list(pairwise([0, *map(int, cuts), num_frames]))


@exercise("shot_ranges", points=3, hint="Shots lie between neighbours of [0, *cuts, num_frames].")
def test_shots_tile(lab):
    """every frame lies in exactly one shot, and a new one begins at each cut; without cuts there is one shot"""
    films = ([66, 197], 431), ([1], 2), ([5, 6, 7], 9), ((3, 10), 30), (np.array([4, 8]), 13), ([8], 9)
    for cuts, num_frames in films:
        answer = divide(lab, cuts, num_frames)
        said, held = f"{answer.said} = {answer.value}", [i for shot in answer.value for i in range(*shot)]
        assert all(isinstance(shot, tuple) for shot in answer.value), f"{said}: each shot is a tuple, (start, stop)"
        lost, twice = sorted(set(range(num_frames)) - set(held)), sorted({i for i in held if held.count(i) > 1})
        assert not twice, f"{said} has frame {twice[0]} in two shots: a stop is the number behind the last frame"
        assert not lost, f"{said} loses frame {lost[0]}: it lies in no shot"
        because = "a new shot begins at each cut, and the last one ends with the film"
        answer.equal(shots_of(cuts, num_frames), because=because)
    for nothing in ([], (), np.array([], int), iter(())):
        divide(lab, nothing, 24).equal([(0, 24)], because="without cuts the whole film is one shot")
    divide(lab, [], 1).equal([(0, 1)], because="a film of one frame is one shot")
    theorems.owes(divide, lab, [3, 10], 30, truth=shots_of, other=([4], 6), iterables=("cuts",), tolerance=0)


@exercise("shot_ranges", points=2, hint="If a start is not below its stop, raise ValueError.")
def test_shots_refuse(lab):
    """cuts that do not rise or lie outside the film, or a film without frames, are a ValueError"""
    for cuts in ([0, 5], [9], [12], [-3], [5, 5], [7, 4], [2, 9], [0], [3, 8, 8], [1, 2, 1]):
        divide.refuses(lab, cuts, 9)
        divide.refuses(lab, iter(cuts), 9, because=f"the cuts are {cuts}")
    for num_frames in (0, -2):
        divide.refuses(lab, [], num_frames)


def num_shots(given):
    return {"shots": len(given["cuts"]) + 1} if hasattr(given["cuts"], "__len__") else {}


split = Call("split_film", gives=each(instance(Path), "shots"), sizes=num_shots, parameters=("path", "cuts", "folder"))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """H.264 with uneven times, 46 frames, each a pattern that is its number, negative from the second keyframe, 26."""
    path = tmp_path_factory.mktemp("films") / "film.mkv"
    numbers = np.arange(46)
    bits = (numbers[:, None] >> np.arange(7)) & 1
    frames = np.repeat(np.repeat(bits[:, None, :, None], 32, 1), 8, 2) * 150 + 50  # (T, 32, 56, 1)
    frames = frames + np.stack([np.arange(56)] * 32)[None, :, :, None] * np.array([0, 0.5, -0.5])
    frames[26:] = 255 - frames[26:]
    times = numbers / 20 + 0.3 * (numbers >= 36)
    video.write(path, frames.astype(np.uint8), 20, timestamps=times)
    return path


def cut_up(lab, path, cuts, folder):
    """Call the learner's split_film: the files that it made, all of them there."""
    files = split(lab, path, cuts, folder).value
    for file in files:
        assert file.is_file(), f"split_film: {file.name} is in your list, but there is no such file"
    return files


@exercise("split_film", points=3, hint='reader.stream(start, stop), codec="ffv1"', needs=("shot_ranges",))
def test_split_same_frames(lab, source, tmp_path, look):
    """each file holds exactly the film's frames of its shot, to the bit"""
    want = video.read_frames(source)
    for file, (start, stop) in zip(cut_up(lab, source, (7, 30), tmp_path), ((0, 7), (7, 30), (30, 46))):
        got, true, said = video.read_frames(file), want[start:stop], f"the shot of frames {start} to {stop - 1}"
        assert len(got) == len(true), f"{said} has {len(true)} frames, and its file has {len(got)}"
        assert got.shape == true.shape, f"{said}: the pictures are {got.shape[1:3]} in size, not {true.shape[1:3]}"
        look(target=true, yours=got)
        off = np.abs(got.astype(int) - true).reshape(len(got), -1).max(axis=1)
        assert not off.any() or (got[..., ::-1] != true).any(), "red and blue are swapped in your files"
        assert off.max() < 60, f"{said}: its frame {(off >= 60).argmax()} is not the film's"
        because = "the codec loses something. FFV1 keeps every byte"
        assert off.max() == 0, f"the pictures are not the film's to the bit (off by up to {off.max()}): {because}"


@exercise("split_film", points=2, hint='folder / f"shot_{number:03}.mkv", in order', needs=("shot_ranges",))
def test_split_names(lab, source, tmp_path):
    """shot_000.mkv, shot_001.mkv, ... in a folder that is made; paths may be text; nonsense writes nothing"""
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a_note.txt").write_text("not a shot")
    for path, folder, cuts, count in (
        (source, tmp_path / "a" / "new", [7, 30], 3), (str(source), str(tmp_path / "text"), (), 1),
        (source, tmp_path / "b", iter([9]), 2), (source, tmp_path / "c", np.array([3]), 2),
    ):  # fmt: skip
        files, names = cut_up(lab, path, cuts, folder), [f"shot_{i:03}.mkv" for i in range(count)]
        got = [file.name for file in files]
        assert files == [Path(folder) / name for name in names], f"the files should be {names} in the folder, not {got}"
        others = sorted({p.name for p in Path(folder).iterdir()} - {*names, "a_note.txt"})
        assert not others, f"{others[0]} was left in the folder besides the shots"
    note = tmp_path / "text" / "a_note.txt"
    assert note.is_file(), "the folder held a note, and it is gone: what else is there is not yours to delete"
    files = cut_up(lab, source, (20,), tmp_path / "text")
    counts = [video.probe(file).num_frames for file in files]
    assert counts == [20, 26], f"cut again into the same folder, the files should have 20 and 26 frames, not {counts}"
    for cuts in ((0, 5), (46,), (30, 20), (20, 20), (20, 50)):
        folder = tmp_path / "-".join(map(str, cuts))
        split.refuses(lab, source, cuts, folder)
        written = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        assert not written, f"cuts {cuts} do not fit the film, but {written[0]} was written before you noticed"
    split.refuses(lab, source.with_name("missing.mkv"), (), tmp_path / "missing", because="there is no such film")


@exercise("split_film", points=2, hint="timestamps[start:stop] - timestamps[start]", needs=("shot_ranges",))
def test_split_times(lab, source, tmp_path):
    """each shot begins at 0.0 s, and its frames keep their distances in time, uneven ones too"""
    times = video.timestamps(source)
    for file, (start, stop) in zip(cut_up(lab, source, (25,), tmp_path), ((0, 25), (25, 46))):
        because = "each shot begins at 0.0, and its frames keep their distances: pass their timestamps on"
        judge(f"the times of the shot of frames {start} to {stop - 1}, in seconds", video.timestamps(file),
              times[start:stop] - times[start], tolerance=0.002, because=because)  # fmt: skip


@exercise("split_film", points=2, hint="Hand `write` a generator of pictures.", needs=("shot_ranges",))
def test_split_needs_little_memory(lab, source, tmp_path, monkeypatch):
    """a few frames at a time, from an open film that is closed at the end"""
    opened, closed, at_once, most, alive = [], [], [0], [0], []
    read, stream, close, enter = VideoReader.read, VideoReader.stream, VideoReader.close, VideoReader.__init__

    def counted_read(self, indices, **options):
        at_once.append(len(indices := list(indices)))
        return read(self, indices, **options)

    def counted_stream(self, start=0, stop=None, chunk=16, **options):
        for frames in stream(self, start, stop, min(chunk, 8), **options):
            alive.append(weakref.ref(frames))
            most[0] = max(most[0], sum(ref() is not None for ref in alive))
            yield frames
            del frames

    monkeypatch.setattr(VideoReader, "__init__", lambda self, path: opened.append(1) or enter(self, path))
    monkeypatch.setattr(VideoReader, "read", counted_read)
    monkeypatch.setattr(VideoReader, "stream", counted_stream)
    monkeypatch.setattr(VideoReader, "close", lambda self: closed.append(1) or close(self))
    cut_up(lab, source, (7,), tmp_path)
    assert max(at_once) <= 32, f"you read {max(at_once)} frames at once. A shot may be long: use reader.stream"
    assert most[0] <= 3, (
        f"{most[0]} pieces of the stream are in memory at once: hand `write` a generator, not a list or one big array"
    )
    assert len(closed) >= len(opened), "the film is left open: use `with VideoReader(path) as reader:`"
