"""What lab 01.1 measures with: films step by step, difficult copies, the proof, the stopwatches, the drawings."""

import statistics

import matplotlib
import numpy as np
import pytest

from common import video
from common.data import clip_path
from common.evaluation.loading import compare_frames
from common.evaluation.timing import PaperMachine, time_as_they_come, time_fairly, time_one_by_one
from common.show.loading import draw_costs, draw_decoding, draw_timings
from common.video import trials
from common.video.plan import decode_runs
from common.video.stepping import Film, decoded_per_asked, read_planned

PATH = clip_path("leap")
INDICES = [40, 3, 4, 40, 51]


@pytest.fixture(scope="module")
def whole():
    return trials.decode_everything(PATH)


@pytest.fixture(scope="module")
def television(tmp_path_factory):
    return trials.as_television(PATH, tmp_path_factory.mktemp("tv") / "film.ts")


def test_a_planned_read_gives_the_frames_and_decodes_about_as_many_as_the_plan_says(whole):
    with Film(PATH) as film:
        frames, planned = read_planned(film, INDICES), decoded_per_asked(INDICES, film.keyframes, "plan")
    assert np.array_equal(frames, whole[INDICES])
    assert 0 <= film.num_decoded - planned * len(INDICES) <= 3 * 16  # a few more come out where threads work ahead


def test_a_seek_goes_to_a_keyframe_and_to_nothing_else(whole):
    with Film(PATH) as film:
        film.seek(24)
        number, frame = film.next_frame()
        assert number == 24 and np.array_equal(film.to_rgb(frame), whole[24])
        with pytest.raises(ValueError, match="25 is no keyframe"):
            film.seek(25)


def test_a_seek_that_lands_elsewhere_starts_again(television):
    """A transport stream has no table of frames: all of it has to be right all the same."""
    film = trials.decode_everything(television)
    indices = [len(film) - 1, 5, 0]
    with Film(television) as steps:
        assert np.array_equal(read_planned(steps, indices), film[indices])


def test_the_television_copy_begins_at_the_second_keyframe(whole, television):
    with video.VideoReader(PATH) as reader:
        second = reader.keyframes[1]
    assert np.array_equal(trials.decode_everything(television), whole[second:])


def test_the_copy_with_dropped_frames_keeps_the_times_of_those_it_keeps(tmp_path):
    copy = trials.drop_frames(PATH, tmp_path / "dropped.mp4")
    kept, times = video.timestamps(copy), video.timestamps(PATH)
    assert 2 <= len(kept) < len(times) and len(set(np.diff(kept).round(4))) > 1
    assert np.abs(kept[:, None] - times).min(axis=1).max() < 1e-3


def test_our_reader_errs_only_where_a_file_says_nothing(tmp_path):
    errors = trials.colour_errors(video.read_frames, tmp_path / "colours.mp4")
    assert max(error for case, error in errors.items() if case.split(", ")[1] == "said") <= 4
    assert errors["709, unsaid"] <= 4 and min(errors["601, unsaid"], errors["709 full, unsaid"]) > 10


def test_the_three_ways_cost_what_their_stretches_hold():
    keyframes, indices = [0, 24, 48], [50, 3, 30, 3, 49]
    assert [decoded_per_asked(indices, keyframes, how) for how in ("scan", "seek", "plan")] == [10.2, 4.0, 2.8]
    with pytest.raises(ValueError, match="walk"):
        decoded_per_asked(indices, keyframes, "walk")
    with pytest.raises(ValueError, match="no indices"):
        decoded_per_asked([], keyframes, "plan")


def test_the_proof_names_frames_and_the_largest_difference(whole):
    frames = whole[[7, 8]].copy()
    frames[1, 100, 100, 1] = 255 - frames[1, 100, 100, 1]
    proof = compare_frames(frames, whole, [6, 8])
    assert proof.numbers == [7, 8]
    assert proof.max_error == np.abs(frames.astype(int) - whole[[6, 8]]).max()
    assert compare_frames(whole[[8, 8]], whole, [8, 8]) == ([8, 8], 0)
    with pytest.raises(ValueError, match="2 frames were asked for, and 1 came"):
        compare_frames(frames[:1], whole, [6, 8])


def test_only_the_fair_stopwatch_sees_no_winner():
    spread = {}
    for stopwatch in (time_fairly, time_as_they_come, time_one_by_one):
        machine = PaperMachine()
        timed = stopwatch(dict.fromkeys("ABCD", machine.work), 11, machine.clock)
        medians = [timed[name].median for name in "ABCD"]
        spread[stopwatch] = max(medians) / min(medians)
    assert spread[time_fairly] == pytest.approx(1, abs=1e-6)
    assert spread[time_as_they_come] > 2 and spread[time_one_by_one] > 1.5


def test_a_fair_time_is_the_median_of_the_rounds_after_a_warm_up():
    now, costs = [0.0], iter([7.0, 0.3, 9.0, 0.1])

    def task():
        now[0] += next(costs)

    timing = time_fairly({"A": task}, 3, lambda: now[0])["A"]
    assert timing == pytest.approx((statistics.median([0.3, 9.0, 0.1]), 0.1, 9.0))
    with pytest.raises(ValueError, match="got 0"):
        time_fairly({"A": task}, 0)


def test_the_drawings_hold_what_they_were_given():
    matplotlib.use("agg")
    keyframes, wanted = [0, 24, 48], [50, 3, 30, 3, 49]
    titles = [
        axis.get_title(loc="left") for axis in draw_decoding(wanted, keyframes, 60, decode_runs(wanted, keyframes)).axes
    ]
    assert [title.split(": ")[-1].split()[0] for title in titles] == ["51", "20", "14"]
    [axis] = draw_costs(decoded_per_asked, 24, 72, num_draws=2).axes
    assert [line.get_label() for line in axis.lines[:3]] == ["scan", "seek", "plan"]
    assert axis.lines[2].get_ydata().max() <= 72  # a plan never decodes more than the film
    times = {"a task": time_fairly({"A": dict, "B": dict}, 3), "another": time_fairly({"B": dict}, 3)}
    panels = draw_timings(times, {"a task": 16, "another": 4}, highlight="A").axes
    assert [len(panel.patches) for panel in panels] == [2, 1]
