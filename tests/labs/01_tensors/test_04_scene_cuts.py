"""Grader of lab 01.4, the scene-cut detector.

Every test has its own oracle: counting pixel by pixel, the formulas as plain loops, an exhaustive search for pairs, or
a film whose frames are known. The library's parts are off limits while this file runs.
"""

import weakref
from collections import Counter
from numbers import Integral
from pathlib import Path

import numpy as np
import pytest

from common import video
from common.course.grader_tools import attempt, refuses

exercise = pytest.mark.exercise


def noise(num_frames=3, height=6, width=7, seed=0):
    """(T, H, W, 3) bytes, every one drawn at random."""
    return np.random.default_rng(seed).integers(0, 256, (num_frames, height, width, 3), dtype=np.uint8)


def array_answer(said, function, frames, shape, **options):
    """The learner's array, with its kind, dtype and shape already checked, and the frames still as they were."""
    before = frames.copy()
    got = attempt(said, function, frames, **options)
    assert isinstance(got, np.ndarray), f"{said} returned {type(got).__name__}; a numpy array is asked for"
    assert (frames == before).all(), "the frames you were given have changed: work on a copy"
    assert got.shape == shape, f"{said} should have the shape {shape}, not {got.shape}"
    assert got.dtype == np.float32, f"{said} should be float32, not {got.dtype}"
    assert np.isfinite(got).all(), f"{said} holds numbers that are not finite"
    return got


# ---------------------------------------------------------------------------------------------- colour_histograms


def histogram_answer(lab, frames, bins):
    said = f"colour_histograms of uint8 frames {frames.shape}, bins={bins},"
    return array_answer(said, lab.colour_histograms, frames, (len(frames), 3, bins), bins=bins)


def counted(frame, bins):
    """Oracle: one value after the other, shared out in whole numbers."""
    fractions = np.zeros((3, bins))
    for pixel in frame.reshape(-1, 3).tolist():
        for channel, value in enumerate(pixel):
            level, rest = divmod(value * (bins - 1), 255)
            fractions[channel, level] += 1 - rest / 255
            fractions[channel, min(level + 1, bins - 1)] += rest / 255
    return fractions * 3 / frame.size


@exercise("colour_histograms", points=1, hint="Divide the counts of a frame by its number of pixels, H * W.")
def test_histogram_sums_to_one(lab, seed):
    """fractions: each channel's levels sum to 1, however many frames there are; float32 (T, 3, bins)"""
    for num_frames, bins in ((1, 8), (5, 4), (4, 3), (3, 2)):
        sums = histogram_answer(lab, noise(num_frames, seed=seed), bins).sum(axis=-1)
        assert not np.allclose(sums, 42, atol=1e-3), "these are counts of pixels: divide by their number, H * W"
        if num_frames > 1 and np.allclose(sums * num_frames, 1, atol=1e-4):
            pytest.fail("you divide by the pixels of all frames together: each frame on its own should sum to 1")
        if np.allclose(sums * 3, 1, atol=1e-4):
            pytest.fail("all three channels together sum to 1; each of them should: divide by H * W, not by H * W * 3")
        assert np.allclose(sums, 1, atol=1e-4), (
            f"each channel's levels should sum to 1, but they sum to {np.round(sums[0], 3).tolist()} in frame 0"
        )


@exercise("colour_histograms", points=1, hint="(T, 3, bins): red, green, blue; the value 255 is level bins - 1.")
def test_histogram_places(lab):
    """values exactly on a level count whole for it: red first, then green, then blue"""
    for levels, bins in (((3, 0, 2), 4), ((0, 3, 1), 4), ((5, 1, 4), 6), ((1, 0, 1), 2), ((15, 3, 14), 16)):
        pixel = [level * 255 // (bins - 1) for level in levels]
        got = histogram_answer(lab, np.full((2, 3, 5, 3), pixel, np.uint8), bins)[1]
        want = np.eye(bins)[list(levels)]
        if np.allclose(got[::-1], want, atol=1e-4) and levels[0] != levels[2]:
            pytest.fail("blue comes first in your histogram; red, green, blue is asked for")
        assert np.allclose(got, want, atol=1e-4), (
            f"a frame of the one colour {pixel}, with {bins} bins, is on the levels {levels} exactly: they should hold "
            f"1.0, but you have {got.round(3).tolist()}"
        )


@exercise("colour_histograms", points=2, hint="below = floor(position), share = position - below; 1 - share and share.")
def test_histogram_shares(lab):
    """a value between two levels is shared out between them, the nearer one getting more"""
    for value, want in ((51, 0.2), (102, 0.4), (204, 0.8)):
        got = histogram_answer(lab, np.full((1, 4, 3, 3), value, np.uint8), 2)[0, 1]
        said = f"the value {value} with 2 bins (levels 0 and 255): {1 - want:.1f} at level 0, {want:.1f} at level 1"
        assert got.max() < 0.999, f"{said}. You count all of it for one level: share it out"
        assert abs(got[0] - want) > 0.01, f"{said}. Your shares are the wrong way round"
        assert np.allclose(got, (1 - want, want), atol=1e-4), f"{said}; you have {got[0]:.3f} and {got[1]:.3f}"
    greys = np.arange(256, dtype=np.uint8).reshape(256, 1, 1, 1).repeat(3, axis=-1)
    steps = np.abs(np.diff(histogram_answer(lab, greys, 8), axis=0)).sum(axis=(1, 2)) / 6
    assert steps.max() < 7 / 255 + 1e-3, (
        f"from grey {steps.argmax()} to {steps.argmax() + 1} the histogram jumps by {steps.max():.2f}; one value is "
        "7 / 255 of a level, so it should move by at most 0.027"
    )


@exercise("colour_histograms", points=2, hint="The level below and the one above, for every value of every channel.")
def test_histogram_counts(lab, seed):
    """on random frames, the same as counting value by value"""
    for bins in (2, 5, 8, 30):
        frames = noise(3, 5, 4, seed)
        frames[1] //= 3  # dark: the upper levels stay empty
        got = histogram_answer(lab, frames, bins)
        for t in range(3):
            want = counted(frames[t], bins)
            channel, level = np.unravel_index(np.abs(got[t] - want).argmax(), want.shape)
            assert abs(got[t, channel, level] - want[channel, level]) < 1e-4, (
                f"frame {t}, {bins} bins: level {level} of channel {channel} should hold {want[channel, level]:.4f} of "
                f"the frame; you say {got[t, channel, level]:.4f}"
            )


@exercise("colour_histograms", points=1, hint="One histogram a frame.")
def test_histogram_of_each_frame(lab, seed):
    """each frame for itself: a changed frame moves its own row only, and moved pixels move nothing"""
    frames = noise(4, 5, 6, seed)
    got = histogram_answer(lab, frames, 4)
    changed = frames.copy()
    changed[2] = 255 - changed[2] // 2
    moved = np.abs(histogram_answer(lab, changed, 4) - got).sum(axis=(1, 2))
    assert moved[2] > 0.1, "frame 2 changed, but its histogram did not"
    assert moved[[0, 1, 3]].max() < 1e-5, "frame 2 changed, and the histograms of other frames changed with it"
    shuffled = frames[:, ::-1, ::-1].copy()
    assert np.allclose(histogram_answer(lab, shuffled, 4), got, atol=1e-5), (
        "the same pixels in other places have the same colours, but your histogram differs"
    )


@exercise("colour_histograms", points=1, hint="if frames.dtype != np.uint8 or ...: raise ValueError(...)")
def test_histogram_refuses(lab):
    """other than uint8 (T, H, W, 3), or bins outside 2 to 256, is a ValueError that says what came"""
    frames = noise()
    refuses("colour_histograms of float frames", "float", lab.colour_histograms, frames.astype(np.float32) / 255)
    refuses("colour_histograms of one frame (6, 7, 3)", "6, 7, 3", lab.colour_histograms, frames[0])
    refuses("colour_histograms of frames with 1 channel", "3, 6, 7, 1", lab.colour_histograms, frames[..., :1])
    for bins in (1, 0, -2, 257):
        refuses(f"colour_histograms with bins={bins}", bins, lab.colour_histograms, frames, bins=bins)


# ---------------------------------------------------------------------------------------------- block_features


def block_answer(lab, frames, grid):
    said = f"block_features of uint8 frames {frames.shape}, grid={grid},"
    return array_answer(said, lab.block_features, frames, (len(frames), grid * grid * 5), grid=grid)


def edges_of(n, grid):
    return [(i * n // grid, (i + 1) * n // grid) for i in range(grid)]


@exercise("block_features", points=2, hint="Reading order: row of blocks by row of blocks; five numbers a block.")
def test_block_colours(lab):
    """numbers 0 to 2 of each block are its mean red, green and blue, 0 to 1, blocks in reading order"""
    for height, width, grid in ((8, 12, 4), (6, 9, 3), (10, 15, 4), (11, 7, 3)):
        frames = np.zeros((2, height, width, 3), np.uint8)
        for i, (top, bottom) in enumerate(edges_of(height, grid)):
            for j, (left, right) in enumerate(edges_of(width, grid)):
                frames[:, top:bottom, left:right] = (20 + 15 * (i * grid + j), 7 * i, 255 - 9 * j)
        frames[1] //= 2
        got = block_answer(lab, frames, grid).reshape(2, grid * grid, 5)
        values = frames.astype(float) / 255
        want = [[values[t, i0:i1, j0:j1].mean((0, 1)) for i0, i1 in edges_of(height, grid) for j0, j1 in
                 edges_of(width, grid)] for t in range(2)]  # fmt: skip
        want = np.array(want)
        if np.allclose(got[..., :3] / 255, want, atol=1e-3):
            pytest.fail("the means are those of bytes, 0 to 255: divide by 255 first")
        columns_first = want.reshape(2, grid, grid, 3).transpose(0, 2, 1, 3).reshape(want.shape)
        if np.allclose(got[..., :3], columns_first, atol=1e-3):
            pytest.fail("the blocks come column by column; reading order is row by row")
        if np.allclose(got[..., :3], want[..., ::-1], atol=1e-3):
            pytest.fail("red and blue are swapped")
        by_kind = block_answer(lab, frames, grid).reshape(2, 5, grid * grid).transpose(0, 2, 1)
        if np.allclose(by_kind[..., :3], want, atol=1e-3):
            pytest.fail("all reds come first, then all greens: each block's five numbers belong together")
        off = np.abs(got[..., :3] - want).max(axis=(0, 2))
        assert off.max() < 1e-3, (
            f"{width} x {height} pixels, grid {grid}: block {off.argmax()} should have the mean colour "
            f"{want[0, off.argmax()].round(3).tolist()}, not {got[0, off.argmax(), :3].round(3).tolist()}"
        )


@exercise("block_features", points=1, hint="Block i ends where block i + 1 begins, and the last one ends at H.")
def test_block_remainder(lab):
    """sizes that are no multiple of the grid: no row and no column is left out"""
    frames = np.zeros((1, 11, 14, 3), np.uint8)
    frames[:, -1], frames[:, :, -1] = 255, 255  # the last row and the last column are white
    got = block_answer(lab, frames, 4).reshape(4, 4, 5)[..., 0]
    assert got[3].min() > 0.05 and got[:, 3].min() > 0.05, (
        "11 rows and 14 columns in 4 x 4 blocks: the last row or column of pixels is in no block. The last ends at H"
    )
    want = 1 - (2 * 3) / (3 * 4)  # rows 8 to 10, columns 10 to 13: 6 of 12 pixels are black
    assert abs(got[3, 3] - want) < 1e-3, (
        f"the last block holds rows 8 to 10 and columns 10 to 13: its mean is {want:.3f}, not {got[3, 3]:.3f}"
    )


@exercise("block_features", points=2, hint="np.abs(np.diff(grey, axis=..., append=...)): its mean in each block.")
def test_block_edges(lab, seed):
    """numbers 3 and 4 are the mean absolute change of grey to the right and downwards"""
    frames = noise(2, 9, 11, seed)
    got = block_answer(lab, frames, 2).reshape(2, 4, 5)
    grey = frames.astype(float).mean(-1) / 255
    right, below = np.zeros_like(grey), np.zeros_like(grey)
    right[:, :, :-1] = grey[:, :, 1:] - grey[:, :, :-1]
    below[:, :-1] = grey[:, 1:] - grey[:, :-1]

    def means(values):
        return np.stack([values[:, a:b, c:d].mean((1, 2)) for a, b in edges_of(9, 2) for c, d in edges_of(11, 2)], 1)

    want = np.stack([means(np.abs(right)), means(np.abs(below))], -1)
    theirs = got[..., 3:]
    if np.allclose(theirs, want[..., ::-1], atol=1e-3):
        pytest.fail("the two edge numbers are swapped: first the change to the right, then the one downwards")
    if np.allclose(theirs, np.stack([means(right), means(below)], -1), atol=1e-3):
        pytest.fail("without the absolute value, edges up and edges down cancel")
    if np.allclose(theirs, np.abs(np.stack([means(right), means(below)], -1)), atol=1e-3):
        pytest.fail("the absolute value comes after the mean: edges up and edges down have cancelled by then")
    luma = frames.astype(float) @ np.array([0.299, 0.587, 0.114]) / 255
    if np.allclose(theirs[:, :, 0], means(np.abs(np.diff(luma, axis=2, append=luma[:, :, -1:]))), atol=1e-3):
        pytest.fail("grey is the plain mean of red, green and blue here, not a weighted one")
    wrapped = np.stack([means(np.abs(np.roll(grey, -1, 2) - grey)), means(np.abs(np.roll(grey, -1, 1) - grey))], -1)
    if np.allclose(theirs, wrapped, atol=1e-3):
        pytest.fail("np.roll wraps around: the last column is compared with the first, but nothing lies to its right")
    assert np.allclose(theirs, want, atol=1e-3), (
        f"block 0 of frame 0 should have the edge numbers {want[0, 0].round(3).tolist()}, "
        f"not {theirs[0, 0].round(3).tolist()}"
    )


@exercise("block_features", points=1, hint="Nothing may mix frames: the means are over rows and columns only.")
def test_block_each_frame(lab, seed):
    """each frame for itself, each block for itself"""
    frames = noise(4, 12, 16, seed)
    got = block_answer(lab, frames, 4)
    changed = frames.copy()
    changed[1, 4, 5] ^= 128  # inside the block in row 1, column 1
    moved = np.abs(block_answer(lab, changed, 4) - got).reshape(4, 16, 5).max(axis=-1)
    assert moved[[0, 2, 3]].max() < 1e-6, "frame 1 changed, and the features of other frames changed with it"
    assert moved[1, 5] > 1e-4, "a pixel in the block of row 1, column 1 changed, but that block's numbers did not"
    assert np.delete(moved[1], [5, 1]).max() < 1e-6, "a pixel of one block changed, and blocks far from it changed too"


@exercise("block_features", points=1, hint="Check the dtype, the number of axes and the grid.")
def test_block_refuses(lab):
    """other than uint8 (T, H, W, 3), or a grid that does not fit the picture, is a ValueError that says what came"""
    frames = noise(2, 6, 9)
    refuses("block_features of float frames", "float", lab.block_features, frames / 255)
    refuses("block_features of one frame (6, 9, 3)", "6, 9, 3", lab.block_features, frames[0])
    for grid in (0, -1, 7):
        refuses(f"block_features of 9 x 6 pixels with grid={grid}", grid, lab.block_features, frames, grid=grid)


# ---------------------------------------------------------------------------------------------- find_cuts


def by_the_formula(descriptors, window, ratio, floor):
    """Oracle: the two formulas, frame by frame. Also tells how near the closest decision was."""
    num_frames = len(descriptors)

    def d(a, b):
        return float(np.abs(descriptors[a].astype(float) - descriptors[b]).sum())

    found, margin = [], np.inf
    for t in range(1, num_frames):
        before, after = range(max(0, t - window), t), range(t, min(num_frames, t + window))
        between = min(d(a, b) for a in before for b in after)
        calm = [max((d(i, i + 1) for i in side[:-1]), default=0.0) for side in (before, after)]
        limit = max(floor, ratio * sum(calm) / 2)
        margin = min(margin, abs(between - limit))
        if between > limit:
            found.append(t)
    return found, margin


def find_answer(lab, descriptors, **options):
    if not isinstance(descriptors, np.ndarray):
        descriptors = np.array(descriptors, np.float32)[:, None]
    before = descriptors.copy()
    said = f"find_cuts of {len(descriptors)} frames" + "".join(f", {k}={v}" for k, v in options.items())
    got = attempt(said, lab.find_cuts, descriptors, **options)
    assert isinstance(got, list), f"find_cuts returned {type(got).__name__}; a plain list is asked for"
    odd = [i for i in got if not isinstance(i, Integral) or isinstance(i, (bool, np.bool_))]
    assert not odd, f"the list holds {type(odd[0]).__name__} ({odd[0]!r}) where frame numbers are asked for"
    assert (descriptors == before).all(), "the descriptors you were given have changed: work on a copy"
    assert 0 not in got, "frame 0 is among the cuts: nothing lies before it, so no shot can end there"
    return got


@exercise("find_cuts", points=2, hint="between at t compares frames up to t - 1 with frames from t on.")
def test_find_hard_cuts(lab, seed):
    """a still shot, a cut, another still shot: the first frame of the new shot is reported"""
    for lengths in ((6, 9), (7, 5, 8), (5, 6, 7, 4)):
        rows = (
            np.random.default_rng(seed).random((len(lengths), 5)).astype(np.float32) + np.arange(len(lengths))[:, None]
        )
        got = find_answer(lab, np.repeat(rows, lengths, axis=0))
        want = np.cumsum(lengths)[:-1].tolist()
        assert got != [t - 1 for t in want], f"{got} are the last frames of the old shots; new ones begin at {want}"
        assert got != [t + 1 for t in want], f"{got} are one too late: the new shots begin at {want}"
        assert got == want, f"shots of {lengths} still frames have cuts at {want}; you find {got}"


@exercise("find_cuts", points=2, hint="between is the smallest distance of any of w frames before to any of w after.")
def test_find_ignores_flashes(lab):
    """a flash shorter than the window is no cut, neither where it begins nor where it ends"""
    for length in (1, 2, 3):
        for level in (1.0, 5.0):
            film = [0.0] * 9 + [level] * length + [0.0] * 9
            got = find_answer(lab, film)
            assert got == [], (
                f"a flash of {length} frames at 9 (window 4) is no cut, but you find {got}: "
                "the picture comes back, so some frame before it equals some frame after it"
            )
    got = find_answer(lab, [0.0] * 9 + [1.0, 0.6, 0.3] + [0.0] * 9)
    assert got == [], (
        f"a flash at 9 that dies away over three frames is no cut either, but you find {got}: its steps after are "
        "small, so only frames further on, which are those from before again, tell. between is the smallest of them"
    )
    got = find_answer(lab, [0.0] * 9 + [1.0] * 4 + [0.0] * 9)
    assert got == [9, 13], f"four frames are a shot of their own when the window is 4: cuts at [9, 13], you find {got}"
    got = find_answer(lab, [0.0] * 9 + [1.0] * 4 + [0.0] * 9, window=5)
    assert got == [], f"with window=5 a flash of 4 frames is no cut, but you find {got}: is window used?"


SLOW_CHANGES = {
    "a fade of 10 frames": [0.0] * 8 + [k / 10 * 4 for k in range(1, 10)] + [4.0] * 8,
    "a dissolve of 5 frames": [0.0] * 8 + [0.5, 1.0, 1.5, 2.0] + [2.5] * 8,
    "a whip pan that begins and ends suddenly": [0.0] * 8 + list(range(1, 9)) + [9.0] * 8,
    "motion that never stops": [0.7 * k for k in range(30)],
    "a movement from the first frame on": [1.0 * k for k in range(6)] + [6.0] * 9,
    "a movement up to the last frame": [0.0] * 9 + [1.0 * k for k in range(1, 7)],
}


@exercise("find_cuts", points=2, hint="within is the mean of the largest step before and the largest step after.")
def test_find_ignores_slow_changes(lab):
    """fades, dissolves and fast motion are no cuts: there within is as large as between"""
    for name, film in SLOW_CHANGES.items():
        got = find_answer(lab, film)
        assert got == [], f"{name} has no cut, but you find {got}: compare between with the steps within each side"


@exercise(
    "find_cuts", points=2, hint="The larger, the smaller or a sum of the two sides is another rule than their mean."
)
def test_find_cut_beside_motion(lab):
    """a cut between a moving and a still shot: within is the mean of both sides' largest steps"""
    moving = [0.0, 0.5, 1.5, 2.5, 3.5, 4.5]
    for name, film in {
        "still after moving": [*moving, *[7.0] * 8],  # between 2.5, within (1 + 0) / 2: 5 times
        "moving after still": [*[7.0] * 8, *moving[::-1]],
    }.items():
        steps = np.abs(np.diff(film))
        at = int(steps.argmax()) + 1
        got = find_answer(lab, film, ratio=4.0)
        assert got == [at], (
            f"{name}, ratio 4: between is 2.5 at {at}, the largest steps are 1 on one side and 0 on the other, so "
            f"within is 0.5 and this is a cut. You find {got}"
        )
        got = find_answer(lab, film, ratio=6.0)
        assert got == [], f"{name}, ratio 6: 2.5 is not above 6 x 0.5, so there is no cut, but you find {got}"
    uneven = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]
    got = find_answer(lab, uneven, ratio=3.0)
    assert got == [6], (
        f"one step of 1 lies before the cut at 6, none after: its largest step counts, within is 0.5 and between is 2. "
        f"With ratio 3 that is a cut and nothing else is; you find {got}"
    )
    got = find_answer(lab, uneven, ratio=4.5)
    assert got == [], (
        f"steps 0, 0, 1 before the cut, 0 after: the largest counts, not the mean of the steps; with ratio 4.5 there "
        f"is no cut, but you find {got}"
    )


@exercise(
    "find_cuts", points=2, hint="Write the two formulas as loops and compare: every pair, both sides, both limits."
)
def test_find_formula(lab, seed):
    """on restless films, for several windows, ratios and floors, exactly what the formulas say"""
    random = np.random.default_rng(seed)
    for window, ratio, floor in ((4, 2.5, 0.2), (3, 2.0, 0.5), (2, 3.0, 0.1), (1, 2.5, 3.0), (6, 2.2, 0.0)):
        for _ in range(2):
            shots = [random.normal(0, 3, 4) + random.normal(0, random.choice([0.02, 0.2, 0.6]), (n, 4)).cumsum(axis=0)
                     for n in random.integers(2, 12, 6)]  # fmt: skip
            film = np.concatenate(shots).astype(np.float32)
            want, margin = by_the_formula(film, window, ratio, floor)
            if margin < 1e-4:
                continue  # too close to call in single precision
            got = find_answer(lab, film, window=window, ratio=ratio, floor=floor)
            assert got == want, (
                f"window={window}, ratio={ratio}, floor={floor}: the formulas give {want}, you find {got}; "
                f"too many: {sorted(set(got) - set(want))}, missing: {sorted(set(want) - set(got))}"
            )


@exercise("find_cuts", points=1, hint="np.abs(a - b).sum(axis=-1); between > floor, whatever the ratio says.")
def test_find_distance_and_floor(lab):
    """the distance is the sum of absolute differences, and it has to exceed the floor"""
    film = np.zeros((16, 4), np.float32)
    film[8:] = (0.3, -0.3, 0.3, -0.1)  # sum of absolute differences 1.0; sum 0.2; root of squares 0.53; mean 0.25
    for floor, want in ((0.9, [8]), (1.1, [])):
        got = find_answer(lab, film, floor=floor)
        assert got == want, (
            f"a cut whose descriptors differ by 0.3, -0.3, 0.3 and -0.1 has the distance 1.0; with floor={floor} "
            f"the answer is {want}, not {got}"
        )
    got = find_answer(lab, [0.0] * 8 + [0.1] * 8)
    assert got == [], f"a step of 0.1 between still frames is below the floor of 0.2, but you find {got}"
    got = find_answer(lab, [0.0] * 6 + [1.0] * 6, floor=1.0)
    assert got == [], f"between is 1 at 6, exactly the floor of 1: it has to exceed the floor. You find {got}"
    got = find_answer(lab, [0.0, 2.0, 7.0, 9.0], window=2, ratio=2.5, floor=0.0)
    assert got == [], f"between is 5 at 2 and within is 2: with ratio=2.5 exactly the limit, no cut. You find {got}"


@exercise("find_cuts", points=1, hint="Every frame before meets every frame after, up to 2 * window - 1 frames apart.")
def test_find_every_pair(lab):
    """between looks at every frame before and every frame after, up to 2 * window - 1 frames apart"""
    film = np.array([(0, 0), (1, 0), (2, 0), (3, 0), (0, 3), (0, 2), (0, 1), (0, 0)], np.float32)  # away, jump, back
    got = find_answer(lab, film, window=4, ratio=2.0, floor=0.0)
    assert got == [], (
        "three steps away from a place, a jump, three steps back to it: the first and the last frame, 7 apart, are "
        f"alike, so with window=4 between is 0 at frame 4, and there is no cut; you find {got}"
    )


@exercise("find_cuts", points=1, hint="At the ends a side has fewer frames; a side of one frame has no step: 0.")
def test_find_at_the_ends(lab):
    """short films, cuts next to the first and the last frame"""
    for film, want in (
        ([], []),
        ([1.0], []),
        ([0.0, 1.0], [1]),
        ([0.0, 0.0, 0.0], []),
        ([0.0] + [1.0] * 9, [1]),
        ([0.0] * 9 + [1.0], [9]),
        ([0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0], [2]),
    ):
        got = find_answer(lab, np.array(film, np.float32).reshape(-1, 1))
        assert got == want, f"frames {film} have cuts at {want}; you find {got}"


@exercise("find_cuts", points=1, hint="Check descriptors.ndim, window, ratio and floor first.")
def test_find_refuses(lab):
    """a window below 1, a ratio below 2, a floor below 0 or another number of axes is a ValueError"""
    film = np.zeros((9, 3), np.float32)
    refuses("find_cuts with window=0", 0, lab.find_cuts, film, window=0)
    refuses("find_cuts with ratio=1.5", 1.5, lab.find_cuts, film, ratio=1.5)
    refuses("find_cuts with floor=-0.25", -0.25, lab.find_cuts, film, floor=-0.25)
    refuses("find_cuts of an array of shape (9,)", "9,", lab.find_cuts, film[:, 0])
    refuses("find_cuts of frames (9, 2, 2, 3)", "9, 2, 2, 3", lab.find_cuts, np.zeros((9, 2, 2, 3)))


# ---------------------------------------------------------------------------------------------- cut_scores


def most_pairs(found, true, tolerance):
    """Oracle: the largest number of pairs, by trying every choice."""
    if not found:
        return 0
    first, *rest = found
    best = most_pairs(rest, true, tolerance)
    for k, cut in enumerate(true):
        if abs(first - cut) <= tolerance:
            best = max(best, 1 + most_pairs(rest, true[:k] + true[k + 1 :], tolerance))
    return best


def scores_answer(lab, found, true, **options):
    said = f"cut_scores({found}, {true}" + "".join(f", {k}={v}" for k, v in options.items()) + ")"
    got = attempt(said, lab.cut_scores, found, true, **options)
    assert isinstance(got, tuple) and len(got) == 3, f"{said} returned {got!r}; three numbers in a tuple are asked for"
    return said, tuple(float(x) for x in got)


def expect(lab, found, true, hits, **options):
    said, got = scores_answer(lab, found, true, **options)
    precision = hits / len(found) if found else 1.0
    recall = hits / len(true) if true else 1.0
    f1 = 2 * hits / (len(found) + len(true)) if found or true else 1.0
    if precision != recall and np.allclose(got[:2], (recall, precision), atol=1e-6):
        pytest.fail(
            f"{said}: precision and recall are swapped: precision is about what was found, recall about the true"
        )
    if np.allclose(got[:2], (precision, recall), atol=1e-6) and abs(got[2] - (precision + recall) / 2) < 1e-6 != f1:
        assert abs(got[2] - f1) < 1e-6, (
            f"{said}: F1 is {f1:.3f}, not the plain mean {got[2]:.3f} of precision and recall"
        )
    assert np.allclose(got, (precision, recall, f1), atol=1e-6), (
        f"{said} has {hits} hits: precision, recall and F1 are {precision:.3f}, {recall:.3f}, {f1:.3f}, "
        f"not {', '.join(f'{x:.3f}' for x in got)}"
    )


@exercise("cut_scores", points=2, hint="hits / found, hits / true, 2 hits / (found + true).")
def test_scores_fractions(lab):
    """hits among the found, hits among the true, and F1"""
    expect(lab, [30, 77, 200], [30, 76, 137], 2)
    expect(lab, [30, 200, 300, 400], [30, 76], 1)
    expect(lab, [5], [5, 50, 100], 1)
    expect(lab, [10, 20], [10, 20], 2)


@exercise("cut_scores", points=2, hint="A true cut that has been hit is taken.")
def test_scores_one_to_one(lab):
    """each cut belongs to at most one pair, and no possible pair is wasted"""
    for found, true, why in (
        ([29, 30, 31], [30], "three claims about one cut: a true cut can be hit once"),
        ([30], [29, 31], "one claim cannot hit two true cuts"),
        ([30, 30], [30], "the same number twice is two claims"),
        ([11, 10], [11, 12], "10 goes with 11 and 11 with 12: two pairs, none wasted"),
        ([10, 11], [11, 12], "10 goes with 11 and 11 with 12: two pairs, none wasted"),
        ([12, 11, 13], [11, 12, 14], "11 with 11, 12 with 12, 13 with 14"),
    ):
        hits = most_pairs(found, true, 1)
        said, got = scores_answer(lab, found, true)
        want = hits / len(found), hits / len(true)
        assert np.allclose(got[:2], want, atol=1e-6), (
            f"{said}: {why}. {hits} hits, precision {want[0]:.3f} and recall {want[1]:.3f}, "
            f"not {got[0]:.3f} and {got[1]:.3f}"
        )


@exercise("cut_scores", points=1, hint="abs(found - true) <= tolerance, with the tolerance that was given.")
def test_scores_tolerance(lab):
    """one frame off is a hit, two are not, on either side; `tolerance` decides"""
    for off, hits in ((-2, 0), (-1, 1), (0, 1), (1, 1), (2, 0)):
        expect(lab, [50 + off], [50], hits)
    expect(lab, [49, 71], [50, 70], 0, tolerance=0)
    expect(lab, [47, 73], [50, 70], 2, tolerance=3)


@exercise("cut_scores", points=1, hint="Sort both first; sorted() makes a list of whatever it is given.")
def test_scores_any_order(lab, seed):
    """lists in any order, tuples and arrays too, scored as an exhaustive search scores them"""
    random = np.random.default_rng(seed)
    for _ in range(30):
        found, true = random.integers(1, 25, 5).tolist(), random.integers(1, 25, 6).tolist()
        expect(lab, found, true, most_pairs(found, true, 1))
    expect(lab, (40, 3), (4, 39), 2)
    _, got = scores_answer(lab, np.array([3, 40]), np.array([4, 80]))
    assert np.allclose(got, 0.5), (
        f"arrays are lists of numbers too: 1 hit among 2 and 2 gives 0.5 three times, not {got}"
    )


@exercise("cut_scores", points=1, hint="precision = hits / len(found) if found else 1.0")
def test_scores_empty(lab):
    """none found: precision 1; none there: recall 1; both: F1 1"""
    expect(lab, [], [30, 76], 0)
    expect(lab, [30, 76], [], 0)
    expect(lab, [], [], 0)


@exercise("cut_scores", points=1, hint="if tolerance < 0: raise ValueError(...)")
def test_scores_refuse(lab):
    """a tolerance below 0 is a ValueError that names it"""
    refuses("cut_scores([1], [1], tolerance=-2)", -2, lab.cut_scores, [1], [1], tolerance=-2)


# ---------------------------------------------------------------------------------------------- shot_ranges


def ranges_answer(lab, cuts, num_frames):
    said = f"shot_ranges({cuts}, {num_frames})"
    got = attempt(said, lab.shot_ranges, cuts, num_frames)
    assert isinstance(got, list), f"{said} returned {type(got).__name__}; a list of (start, stop) is asked for"
    assert all(isinstance(shot, tuple) and len(shot) == 2 for shot in got), (
        f"{said} = {got}; each shot is (start, stop)"
    )
    return said, got


@exercise("shot_ranges", points=2, hint="Shots lie between neighbours of [0, *cuts, num_frames].")
def test_shots_tile(lab):
    """every frame lies in exactly one shot, and a new one begins at each cut"""
    for cuts, num_frames in (([66, 197], 431), ([1], 2), ([5, 6, 7], 9), ((3, 10), 30), (np.array([4, 8]), 13)):
        said, got = ranges_answer(lab, cuts, num_frames)
        held = Counter(i for start, stop in got for i in range(start, stop))
        lost = [i for i in range(num_frames) if not held[i]]
        twice = [i for i, times in held.items() if times > 1]
        beyond = [i for i in held if not 0 <= i < num_frames]
        assert not lost, f"{said} = {got} loses frame {lost[0]}: it lies in no shot"
        assert not twice, (
            f"{said} = {got} has frame {twice[0]} in two shots: a stop is the number behind the last frame"
        )
        assert not beyond, f"{said} = {got} holds frame {beyond[0]}, which does not exist"
        assert [start for start, _ in got[1:]] == list(cuts), f"{said} = {got}: a new shot should begin at each cut"


@exercise("shot_ranges", points=1, hint="edges = [0, num_frames] then.")
def test_shots_no_cuts(lab):
    """a film without cuts is one shot"""
    said, got = ranges_answer(lab, [], 24)
    assert got == [(0, 24)], f"{said} is the whole film, [(0, 24)], not {got}"
    said, got = ranges_answer(lab, [], 1)
    assert got == [(0, 1)], f"{said} is one shot of one frame, [(0, 1)], not {got}"


@exercise("shot_ranges", points=2, hint="If a start is not below its stop, raise ValueError.")
def test_shots_refuse(lab):
    """cuts that do not rise or lie outside the film, or a film without frames, are a ValueError"""
    for cuts, num_frames, bad in (([0, 5], 9, None), ([9], 9, 9), ([12], 9, 12), ([-3], 9, -3), ([5, 5], 9, None),
                                  ([7, 4], 9, None), ([], 0, 0), ([], -2, -2)):  # fmt: skip
        refuses(f"shot_ranges({cuts}, {num_frames})", bad, lab.shot_ranges, cuts, num_frames)


# ---------------------------------------------------------------------------------------------- split_film

CUTS = (7, 30)
needs_ranges = {"needs": ("shot_ranges",)}


@pytest.fixture(scope="module")
def film(tmp_path_factory):
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


def split_answer(lab, film, cuts, folder):
    said = f"split_film({film.name!r}, {cuts}, folder)"
    got = attempt(said, lab.split_film, film, cuts, folder)
    assert isinstance(got, list), f"{said} returned {type(got).__name__}; a list of the files is asked for"
    assert len(got) == len(cuts) + 1, f"{len(cuts)} cuts make {len(cuts) + 1} shots, but you return {len(got)} files"
    missing = [file for file in got if not Path(file).is_file()]
    assert not missing, f"{missing[0]} is in your list, but there is no such file"
    return [Path(file) for file in got]


@exercise("split_film", points=3, hint='reader.stream(start, stop) into write(..., codec="ffv1").', **needs_ranges)
def test_split_same_frames(lab, film, tmp_path, look):
    """each file holds exactly the film's frames of its shot, to the bit"""
    want = video.read_frames(film)
    files = split_answer(lab, film, CUTS, tmp_path)
    for file, (start, stop) in zip(files, ((0, 7), (7, 30), (30, 46))):
        got = video.read_frames(file)
        assert len(got) == stop - start, (
            f"the shot of frames {start} to {stop - 1} has {stop - start} frames, its file has {len(got)}: "
            "a frame at a border was lost or doubled"
        )
        assert got.shape == want[start:stop].shape, (
            f"the pictures have {got.shape[2]} x {got.shape[1]} pixels, "
            f"the film's have {want.shape[2]} x {want.shape[1]}"
        )
        look(target=want[start:stop], yours=got)
        off = np.abs(got.astype(int) - want[start:stop]).reshape(len(got), -1).max(axis=1)
        assert off[0] < 60, f"the file of frames {start} to {stop - 1} begins with another frame than {start}"
        swapped = np.abs(got[..., ::-1].astype(int) - want[start:stop]).max()
        assert not (off.max() and swapped == 0), "red and blue are swapped in your files"
        assert off.max() < 60, f"frame {off.argmax()} of the shot that begins at {start} is not the film's"
        assert off.max() == 0, (
            f"the pictures are not the film's to the bit (off by up to {off.max()}): the codec loses something. "
            'codec="ffv1" keeps every byte'
        )


@exercise("split_film", points=1, hint='folder / f"shot_{number:03}.mkv", and return them in order.', **needs_ranges)
def test_split_names(lab, film, tmp_path):
    """shot_000.mkv, shot_001.mkv, ... in a folder that is made if it is not there, given as a Path or as text"""
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a_note.txt").write_text("not a shot")
    for folder, cuts in ((tmp_path / "a" / "new", CUTS), (str(tmp_path / "text"), ())):
        files = split_answer(lab, film, cuts, folder)
        want = [Path(folder) / f"shot_{i:03}.mkv" for i in range(len(cuts) + 1)]
        assert files == want, (
            f"the files should be {[f.name for f in want]} in the folder, not {[str(f) for f in files]}"
        )
        others = sorted({p.name for p in Path(folder).iterdir()} - {f.name for f in want} - {"a_note.txt"})
        assert not others, f"{others[0]} was left in the folder besides the shots"
    assert (tmp_path / "text" / "a_note.txt").is_file(), (
        "the folder held a note, and it is gone: what else lies there is not yours to delete"
    )
    assert video.probe(files[0]).num_frames == 46, "without cuts the one file should hold the whole film, 46 frames"


@exercise(
    "split_film", points=2, hint="timestamps=reader.timestamps[start:stop] - reader.timestamps[start]", **needs_ranges
)
def test_split_times(lab, film, tmp_path):
    """each shot begins at 0.0 s, and its frames keep their distances in time, uneven ones too"""
    times = video.timestamps(film)
    files = split_answer(lab, film, (25,), tmp_path)
    for file, (start, stop) in zip(files, ((0, 25), (25, 46))):
        got, want = video.timestamps(file), times[start:stop] - times[start]
        if len(got) != len(want):
            pytest.fail(f"the shot of frames {start} to {stop - 1} should have {len(want)} frames, not {len(got)}")
        off = np.abs(got - want)
        assert off.max() < 0.002, (
            f"frame {off.argmax()} of the shot that begins at {start} appears at {got[off.argmax()]:.3f} s; in the "
            f"film it comes {want[off.argmax()]:.3f} s after the shot's first frame: pass its timestamps on"
        )


@exercise("split_film", points=2, hint="Hand `write` a generator of pictures; read with reader.stream.", **needs_ranges)
def test_split_needs_little_memory(lab, film, tmp_path, monkeypatch):
    """a few frames at a time, from an open film that is closed at the end"""
    from common.video import VideoReader

    opened, closed, most, alive = [], [], [0], []
    read, stream, close, enter = VideoReader.read, VideoReader.stream, VideoReader.close, VideoReader.__init__

    def counted_read(self, indices, **options):
        indices = list(indices)
        assert len(indices) <= 32, (
            f"you read {len(indices)} frames at once: a long shot does not fit in memory. Use reader.stream"
        )
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
    split_answer(lab, film, (7,), tmp_path)
    assert most[0] <= 3, (
        f"{most[0]} pieces of the stream are in memory at once: hand `write` a generator, not a list or one big array"
    )
    assert not opened or closed, "the film is left open: use `with VideoReader(path) as reader:`"


@exercise("split_film", points=1, hint="shot_ranges(cuts, len(reader)) refuses them.", **needs_ranges)
def test_split_refuses(lab, film, tmp_path):
    """cuts that do not fit the film are a ValueError, and nothing is written"""
    for cuts in ((0, 5), (46,), (30, 20), (20, 20)):
        folder = tmp_path / "-".join(map(str, cuts))
        refuses(f"split_film of 46 frames with cuts {cuts}", None, lab.split_film, film, cuts, folder)
        written = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        assert not written, f"cuts {cuts} do not fit the film, but {written[0]} was written before you noticed"
