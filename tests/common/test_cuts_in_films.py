"""Cuts in film files: a stream decides as a whole film, splitting loses nothing, and `show` draws what was found."""

from itertools import combinations

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from common import video
from common.cli import shots
from common.cli import show as cli
from common.data import clip_path, clips, excerpts, sources
from common.evaluation import cut_scores
from common.video import cuts
from tests.common.cut_scenes import restless, scene


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
