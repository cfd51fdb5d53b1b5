"""Cuts are found, and nothing that only looks like one; a stream decides as a whole film; splitting loses nothing."""

from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from common import video
from common.cli import shots
from common.cli import show as cli
from common.data import clip_path, clips, excerpts, sources
from common.evaluation import cut_scores
from common.video import cuts


def scene(seed: int, num_frames: int, drift: float = 0.3, height: int = 36, width: int = 64) -> np.ndarray:
    """A shot: a few soft blobs of colour that drift slowly. Another seed is another scene."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    picture = np.ones((num_frames, height, width, 3), np.float32) * random.uniform(20, 235, 3)
    for _ in range(6):
        across, down = random.uniform(0, width), random.uniform(0, height)
        spread, colour = random.uniform(5, 14), random.uniform(-140, 140, 3)
        moved = across + drift * np.arange(num_frames).reshape(-1, 1, 1)
        blob = np.exp(-((x - moved) ** 2 + (y - down) ** 2) / spread**2)  # (T, H, W)
        picture += blob[..., None] * colour
    return picture.clip(0, 255).astype(np.uint8)


def mix(first, second, weight) -> np.ndarray:
    return (first * (1.0 - weight) + second * weight).round().clip(0, 255).astype(np.uint8)


def ramp(num_frames: int) -> np.ndarray:
    """Weights between 0 and 1, without both, one a frame."""
    return np.linspace(0, 1, num_frames + 2)[1:-1].reshape(-1, 1, 1, 1)


def found_in(frames) -> list[int]:
    return cuts.find_cuts(cuts.frame_descriptors(np.ascontiguousarray(frames)))


@pytest.fixture
def film(tmp_path):
    """A file of five shots, 150 frames; the cuts are at 41, 60, 97 and 140."""
    path = tmp_path / "film.mp4"
    parts = [scene(seed, n) for seed, n in enumerate((41, 19, 37, 43, 10))]
    return video.write(path, np.concatenate(parts), fps=25)


TRUE = [41, 60, 97, 140]


# ------------------------------------------------------------------------------------------------ real film


def test_every_true_cut_of_the_excerpt_and_no_other():
    for clip in excerpts():
        assert cuts.detect_cuts(clip.path) == list(clip.cuts)


@pytest.mark.parametrize("clip", clips(), ids=lambda clip: clip.name)
def test_no_cut_in_any_bundled_shot(clip):
    """Fifteen single shots: running, flying, a camera that swings, things that fall into the picture."""
    assert cuts.detect_cuts(clip.path) == []


@pytest.mark.parametrize(("name", "least"), [("bikes", 1.0), ("big-buck-bunny", 0.985)])
def test_fetched_film(name, least):
    """`bikes`: all five. The whole film: the F1 that benchmarks/cuts.md reports."""
    source = sources.find_source(name)
    if sources.status(source) != "ok":
        pytest.skip(f"not fetched: flipbook data fetch {name}")
    assert cut_scores(cuts.detect_cuts(source.location), source.cuts)[2] >= least


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


def restless(seed, num_shots=7):
    """Descriptors of a film whose shots move more or less."""
    random = np.random.default_rng(seed)
    parts = [random.normal(0, 3, 5) + random.normal(0, random.choice([0.02, 0.3, 1.0]), (n, 5)).cumsum(axis=0)
             for n in random.integers(1, 14, num_shots)]  # fmt: skip
    return np.concatenate(parts)


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


# ------------------------------------------------------------------------------------------------ the stream


@pytest.mark.parametrize("chunk", [1, 3, 16, 50, 75, 150, 1000])
def test_the_stream_decides_as_the_whole_film(film, chunk):
    assert cuts.detect_cuts(film, chunk=chunk) == TRUE


@pytest.mark.parametrize("window", [1, 4, 9])
@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
def test_the_stream_decides_as_the_whole_film_with_any_window(film, window, chunk, monkeypatch):
    """On descriptors that nearly cut everywhere, so that every decision counts; and each frame is described once."""
    restless_film = np.concatenate([restless(seed) for seed in range(6)])[:150]
    described = []

    def describe(frames):
        first = sum(described)
        described.append(len(frames))
        return restless_film[first : first + len(frames)]

    monkeypatch.setattr(cuts, "frame_descriptors", describe)
    options = {"window": window, "ratio": 2, "floor": 0.5}
    assert cuts.detect_cuts(film, chunk=chunk, **options) == cuts.find_cuts(restless_film[: sum(described)], **options)
    assert sum(described) == 150


def test_memory_does_not_grow_with_the_film(film, monkeypatch):
    most, find = [], cuts.find_cuts
    monkeypatch.setattr(cuts, "find_cuts", lambda d, **options: most.append(len(d)) or find(d, **options))
    assert cuts.detect_cuts(film, chunk=10, window=4) == TRUE
    assert max(most) <= 10 + 2 * 4


def test_a_film_of_one_frame(tmp_path):
    path = video.write(tmp_path / "one.mp4", scene(0, 1), fps=24)
    assert cuts.detect_cuts(path) == []


def test_a_bad_file_is_a_video_error(tmp_path):
    with pytest.raises(video.VideoError, match=r"nowhere\.mp4"):
        cuts.detect_cuts(tmp_path / "nowhere.mp4")


# ------------------------------------------------------------------------------------------------ shots


def test_shots_tile_the_film():
    for chosen in combinations(range(1, 7), 3):
        held = [i for start, stop in cuts.shot_ranges(chosen, 7) for i in range(start, stop)]
        assert held == list(range(7))


@pytest.mark.parametrize("bad", [(0,), (7,), (3, 3), (5, 2), (-1,)])
def test_cuts_that_do_not_fit_are_refused_before_anything_is_written(bad, tmp_path):
    with pytest.raises(ValueError, match="cuts must rise"):
        cuts.shot_ranges(bad, 7)
    film = video.write(tmp_path / "seven.mp4", scene(0, 7), fps=24)
    with pytest.raises(ValueError, match="cuts must rise"):
        cuts.split_film(film, bad, tmp_path / "shots")
    assert not (tmp_path / "shots").exists()


@pytest.mark.parametrize("chosen", [TRUE, [], [1, 149], [13, 77, 78]])
def test_split_shots_are_the_films_frames_to_the_bit(film, chosen, tmp_path):
    """Cuts far from any keyframe too: nothing lost, nothing doubled, nothing changed."""
    files = cuts.split_film(film, chosen, tmp_path / "shots")
    assert [file.name for file in files] == [f"shot_{k:03}.mkv" for k in range(len(chosen) + 1)]
    parts = [video.read_frames(file) for file in files]
    assert [len(part) for part in parts] == [stop - start for start, stop in cuts.shot_ranges(chosen, 150)]
    assert np.array_equal(np.concatenate(parts), video.read_frames(film))


def test_split_shots_keep_their_times(tmp_path):
    times = np.concatenate([np.arange(20) / 20, 2 + np.arange(20) / 10])
    film = video.write(tmp_path / "uneven.mkv", scene(0, 40), 20, timestamps=times)
    first, second = cuts.split_film(film, [15], tmp_path / "shots")
    assert np.abs(video.timestamps(first) - times[:15]).max() < 0.002
    assert np.abs(video.timestamps(second) - (times[15:] - times[15])).max() < 0.002


def test_real_film_splits_into_itself(tmp_path):
    """A bundled shot, cut where no keyframe is."""
    path = clip_path("leap")
    files = cuts.split_film(path, [13, 31], tmp_path)
    assert np.array_equal(np.concatenate([video.read_frames(file) for file in files]), video.read_frames(path))


# ------------------------------------------------------------------------------------------------ scores


def test_scores_of_an_example():
    assert cut_scores([30, 77, 200], [30, 76, 137]) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert cut_scores([29, 30, 31], [30]) == pytest.approx((1 / 3, 1, 1 / 2))
    assert cut_scores([], []) == (1, 1, 1)


@pytest.mark.parametrize("seed", range(20))
def test_as_many_pairs_as_can_be(seed):
    """Against an exhaustive search; and found and true swapped swap precision and recall."""
    random = np.random.default_rng(seed)
    found, true = random.integers(0, 15, 4).tolist(), random.integers(0, 15, 5).tolist()

    def most(found, true):
        if not found:
            return 0
        taken = [
            1 + most(found[1:], true[:k] + true[k + 1 :]) for k in range(len(true)) if abs(found[0] - true[k]) <= 1
        ]
        return max([most(found[1:], true), *taken])

    precision, recall, f1 = cut_scores(found, true)
    assert precision == most(found, true) / 4 and recall == most(found, true) / 5
    assert cut_scores(true, found) == (recall, precision, f1)


# ------------------------------------------------------------------------------------------------ the command


def run(*arguments):
    return CliRunner().invoke(cli.show, [str(argument) for argument in arguments])


def test_show_cuts_draws_one_frame_a_shot(film, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run(film, "--cuts", "--width", 64)
    assert ran.exit_code == 0, ran.output
    assert "cuts at frames: 41, 60, 97, 140\n" in ran.output and "true cuts" not in ran.output
    sheet = np.asarray(Image.open(tmp_path / "film_shots.png")).astype(int)
    middles = video.read_frames(film, [(start + stop) // 2 for start, stop in cuts.shot_ranges(TRUE, 150)])
    for k, middle in enumerate(middles):  # five pictures of 64 columns in one row, 6 apart
        strip = sheet[:, 10 + 70 * k : 74 + 70 * k]
        assert min(np.abs(strip[y : y + 36] - middle).mean() for y in range(len(strip) - 36)) < 3
    assert (tmp_path / "film_sheet.png").is_file()


def test_show_cuts_knows_the_truth_of_our_own_film(tmp_path):
    ran = run(clip_path("film_cuts"), "--cuts", "-o", tmp_path / "x.png")
    assert "against its 5 true cuts: precision 1.000, recall 1.000, F1 1.000" in ran.output
    assert (tmp_path / "x_shots.png").is_file()


def test_show_split_writes_the_shots(film, tmp_path):
    ran = run(film, "--split", tmp_path / "shots", "-o", tmp_path / "x.png")
    assert ran.exit_code == 0 and "5 shots in" in ran.output
    assert len(list((tmp_path / "shots").iterdir())) == 5


def test_the_detector_is_looked_up_when_it_is_needed(film, tmp_path, monkeypatch):
    """A detector, or a part of it, put in its place is the one that runs: this is what `--mine` stands on."""
    monkeypatch.setattr(cuts, "find_cuts", lambda descriptors, **options: [1] if len(descriptors) > 4 else [])
    ran = run(film, "--cuts", "-o", tmp_path / "x.png")
    assert "cuts at frames: 1\n" in ran.output
    monkeypatch.setattr(cuts, "detect_cuts", lambda path: [7, 9])
    ran = run(film, "--cuts", "-o", tmp_path / "x.png")
    assert "cuts at frames: 7, 9\n" in ran.output


def test_cuts_that_make_no_sense_are_one_line(film, tmp_path, monkeypatch):
    monkeypatch.setattr(cuts, "detect_cuts", lambda path: [9, 7])
    ran = run(film, "--cuts", "-o", tmp_path / "x.png")
    assert ran.exit_code == 1 and "cuts must rise" in ran.output


def test_a_very_long_film_gets_a_sheet_of_its_beginning(film, tmp_path, monkeypatch):
    monkeypatch.setattr(shots, "MOST_SHOTS", 3)
    assert run(film, "--cuts", "-o", tmp_path / "x.png").exit_code == 0
    monkeypatch.setattr(shots, "MOST_SHOTS", 240)
    assert run(film, "--cuts", "-o", tmp_path / "y.png").exit_code == 0
    short, whole = (Image.open(tmp_path / name).size for name in ("x_shots.png", "y_shots.png"))
    assert short[0] < whole[0]
