"""Cuts are found, and nothing that only looks like one; the rule equals its definition, descriptors their peers."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from common.video import cuts
from tests.common.cut_scenes import restless, scene


def mix(first, second, weight) -> np.ndarray:
    return (first * (1.0 - weight) + second * weight).round().clip(0, 255).astype(np.uint8)


def ramp(num_frames: int) -> np.ndarray:
    """Weights between 0 and 1, without both, one a frame."""
    return np.linspace(0, 1, num_frames + 2)[1:-1].reshape(-1, 1, 1, 1)


def found_in(frames) -> list[int]:
    return cuts.find_cuts(cuts.frame_descriptors(np.ascontiguousarray(frames)))


# ------------------------------------------------------------------------------------------------ what is no cut


@pytest.mark.parametrize("seed", range(4))
def test_a_hard_cut_is_found_at_its_first_frame(seed):
    assert found_in(np.concatenate([scene(seed, 17), scene(seed + 50, 23)])) == [17]


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("colour", [255, 0, (255, 60, 0)])
def test_a_flash_is_no_cut(length, colour):
    frames = scene(1, 30)
    frames[12 : 12 + length] = mix(frames[12 : 12 + length], np.array(colour), 0.9)
    assert found_in(frames) == []


def test_a_flash_that_dies_away_is_no_cut():
    frames = scene(1, 30)
    for k, strength in enumerate((0.9, 0.5, 0.2)):
        frames[12 + k] = mix(frames[12 + k], 255, strength)
    assert found_in(frames) == []


@pytest.mark.parametrize("length", [6, 12, 30])
@pytest.mark.parametrize("colour", [0, 255])
def test_fades_are_no_cuts(length, colour):
    out, back = scene(2, 40), scene(3, 40)
    out[-length:] = mix(out[-length:], colour, ramp(length))
    back[:length] = mix(back[:length], colour, ramp(length)[::-1])
    assert found_in(np.concatenate([out, back])) == []


@pytest.mark.parametrize("length", [4, 8, 24])
@pytest.mark.parametrize("seed", range(3))
def test_dissolves_are_no_cuts(length, seed):
    first, second = scene(seed, 30 + length), scene(seed + 20, 30 + length)
    blend = mix(first[30:], second[:length], ramp(length))
    assert found_in(np.concatenate([first[:30], blend, second[length:]])) == []


@pytest.mark.parametrize("speed", [6, 12, 24])
def test_whip_pans_are_no_cuts(speed):
    """A camera that turns suddenly, at up to a third of the picture a frame, from rest and to rest."""
    wide = np.concatenate([scene(seed, 1, width=96)[0] for seed in range(4)], axis=1)
    moves = np.array([0] * 10 + [speed] * 10 + [0] * 10).cumsum()
    assert found_in(np.stack([wide[:, x : x + 64] for x in moves])) == []


def test_identical_shots_have_no_cut_between_them():
    """Nothing changes where two copies of one still shot meet, so there is nothing to find."""
    still = np.repeat(scene(5, 1), 20, axis=0)
    assert found_in(np.concatenate([still, still])) == []


def test_same_colours_elsewhere_are_a_cut():
    """The mirrored picture has the same histogram: only the features by place can tell."""
    frames = np.concatenate([scene(6, 20), scene(6, 20)[:, ::-1, ::-1]])
    colour = cuts.colour_histograms(frames)
    assert np.abs(colour[20] - colour[19]).sum(axis=-1).mean() / 2 < 0.2
    assert found_in(frames) == [20]


def test_same_layout_in_other_colours_is_a_cut():
    frames = scene(7, 20)
    assert found_in(np.concatenate([frames, frames[..., [2, 0, 1]]])) == [20]


def test_grain_is_no_cut():
    frames = scene(8, 40).astype(np.int16) + np.random.default_rng(0).integers(-12, 13, (40, 36, 64, 3))
    assert found_in(frames.clip(0, 255).astype(np.uint8)) == []


# ------------------------------------------------------------------------------------------------ the rule


def formula(descriptors, window, ratio, floor):
    """The definition, frame by frame."""

    def d(a, b):
        return np.abs(descriptors[a] - descriptors[b]).sum()

    found = []
    for t in range(1, len(descriptors)):
        before, after = range(max(0, t - window), t), range(t, min(len(descriptors), t + window))
        between = min(d(a, b) for a in before for b in after)
        calm = [max((d(a, b) for a, b in pairwise(side)), default=0) for side in (before, after)]
        if between > floor and between > ratio * sum(calm) / 2:
            found.append(t)
    return found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("window", "ratio", "floor"), [(4, 2.5, 0.2), (1, 2, 2.0), (3, 2, 0), (7, 4, 1)])
def test_find_cuts_is_its_definition(seed, window, ratio, floor):
    film = restless(seed)
    options = {"window": window, "ratio": ratio, "floor": floor}
    assert cuts.find_cuts(film, **options) == formula(film, **options)


@pytest.mark.parametrize("num_frames", range(6))
def test_films_shorter_than_the_window(num_frames):
    film = np.arange(num_frames)[:, None] ** 2.0
    assert cuts.find_cuts(film, window=4) == formula(film, 4, 2.5, 0.2)


@pytest.mark.parametrize("seed", range(8))
def test_backwards_the_cuts_are_the_same(seed):
    film = restless(seed)
    assert cuts.find_cuts(film[::-1]) == [len(film) - t for t in cuts.find_cuts(film)][::-1]


@pytest.mark.parametrize("seed", range(8))
def test_units_do_not_matter(seed):
    film = restless(seed)
    assert cuts.find_cuts(8 * film, floor=1.6) == cuts.find_cuts(film, floor=0.2)


@pytest.mark.parametrize("seed", range(20))
def test_two_cuts_are_never_closer_than_the_window(seed):
    """Follows from ratio >= 2: each of two neighbouring steps would have to be larger than the other."""
    film = np.random.default_rng(seed).exponential(1, (400, 1)).cumsum(axis=0) * [[1, -1]]
    for window in (2, 4, 6):
        found = cuts.find_cuts(film, window=window, ratio=2, floor=0)
        assert all(b - a >= window for a, b in pairwise(found))


# ------------------------------------------------------------------------------------------------ descriptors


def test_histograms_of_exact_levels_equal_numpys(pictures):
    """Where every value is exactly a level, nothing is shared out."""
    for bins in (2, 4, 6, 16):
        frames = (np.stack(pictures(3, 20, 30)).astype(int) * bins // 256 * (255 // (bins - 1))).astype(np.uint8)
        ours = cuts.colour_histograms(frames, bins)
        for t, channel in np.ndindex(3, 3):
            theirs, _ = np.histogram(frames[t, ..., channel], bins=bins, range=(-0.5, 255.5))
            assert np.allclose(ours[t, channel], theirs / 600, atol=1e-5)


@pytest.mark.parametrize("bins", [2, 8, 13])
def test_histograms_change_little_by_little(bins):
    """One value lighter: the histogram moves by at most one value's share, wherever the value stands."""
    greys = np.arange(256, dtype=np.uint8).reshape(256, 1, 1, 1).repeat(3, axis=-1)
    histograms = cuts.colour_histograms(greys, bins)
    assert np.abs(np.diff(histograms, axis=0)).sum(axis=-1).max() / 2 <= (bins - 1) / 255 + 1e-5
    assert np.allclose(histograms @ np.linspace(0, 255, bins), np.arange(256)[:, None], atol=1e-3)


@pytest.mark.parametrize("length", [5, 10, 20, 40, 100])
@pytest.mark.parametrize("colour", [(30, 90, 160), (200, 200, 200), (255, 40, 40)])
@pytest.mark.parametrize("ground", [0, 73, 255])
def test_a_fading_title_card_is_no_cut(length, colour, ground):
    """A plain picture is the hardest fade: all of its pixels change colour at the same moment."""
    card = np.full((length, 36, 64, 3), colour, np.uint8)
    card[:, 14:20, 10:50] = 255
    light = mix(ground, card, ramp(length))
    before, full = np.full((10, 36, 64, 3), ground, np.uint8), np.repeat(card[:1], 10, axis=0)
    assert found_in(np.concatenate([before, light, full, light[::-1], before])) == []


def test_block_colours_equal_torchs_pooling(pictures):
    frames = np.stack(pictures(3, 24, 40))
    ours = cuts.block_features(frames, 4).reshape(3, 4, 4, 5)
    pooled = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(frames).permute(0, 3, 1, 2) / 255, 4)
    assert np.allclose(ours[..., :3], pooled.permute(0, 2, 3, 1), atol=1e-5)


def test_descriptor_distance_is_the_two_distances_weighed(pictures):
    a, b = np.stack(pictures(2, 36, 64))[:, None]
    colour = np.abs(cuts.colour_histograms(a) - cuts.colour_histograms(b)).sum(axis=-1).mean() / 2
    place = np.abs(cuts.block_features(a) - cuts.block_features(b)).mean()
    both = np.abs(cuts.frame_descriptors(a) - cuts.frame_descriptors(b)).sum()
    assert both == pytest.approx(colour + cuts.FEATURE_WEIGHT * place, rel=1e-5)
