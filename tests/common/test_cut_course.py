"""The obstacle course has the cuts that it says, and what is drawn and counted around a detector is right."""

import matplotlib
import numpy as np
import pytest

from common.data import clip_path
from common.data.cut_course import cut_course, dissolve, fade, flash, whip_pan
from common.evaluation.cut_controls import best_floor, blurred_in_time, hard_histograms, split_errors
from common.show.cuts import around_cuts, draw_course, draw_distances, flagged, steps
from common.video.cuts import colour_histograms, find_cuts, frame_descriptors, shot_ranges


@pytest.fixture(scope="module")
def course():
    return cut_course(36)


def test_the_rule_finds_the_eight_cuts_and_no_threshold_does(course):
    descriptors = frame_descriptors(course.frames)
    floor = best_floor(find_cuts, descriptors, course.cuts, tries=50)
    assert len(course.cuts) == 8 and find_cuts(descriptors) == course.cuts
    assert find_cuts(descriptors, window=1, floor=floor) != course.cuts
    assert find_cuts(blurred_in_time(descriptors)) == []


def test_a_part_says_where_it_is_in_the_film(course):
    frames, first = course.part("whip pan", 10, 5)
    assert np.array_equal(frames, course.frames[first : first + 5])
    frames[:] = 0
    assert course.pieces["whip pan"][10:15].any(), "a part is a copy"


def test_the_obstacles_end_as_they_begin():
    old, new = np.full((30, 4, 6, 3), 40, np.uint8), np.full((30, 4, 6, 3), 200, np.uint8)
    lit = flash(old)
    assert [t for t in range(30) if lit[t].min() > 200] == [15, 16] and (lit[17] == 40).all()
    faded = fade(old, new)[:, 0, 0, 0]
    assert faded[0] == 40 and faded[-1] == 200 and faded[29] == 0 == faded[30]
    assert np.all(np.diff(dissolve(old, new)[:, 0, 0, 0].astype(int)) >= 0)
    swung = whip_pan(np.arange(100, dtype=np.uint8).reshape(1, 100, 1).repeat(3, axis=2))
    assert np.array_equal(swung[0], swung[13]) and not np.array_equal(swung[0], swung[-1])


def test_soft_bins_drift_where_hard_ones_jump():
    grey = np.arange(60, 100, dtype=np.uint8).reshape(-1, 1, 1, 1).repeat(3, axis=3).repeat(2, axis=1)
    assert hard_histograms(grey).sum(axis=-1) == pytest.approx(1)
    jumps = [np.abs(np.diff(kind(grey), axis=0)).max() for kind in (hard_histograms, colour_histograms)]
    assert jumps[0] == 1 and jumps[1] < 0.05


def test_lost_frames_and_changed_bytes_are_counted():
    film = np.random.default_rng(0).integers(0, 256, (10, 2, 3, 3), np.uint8)
    ranges = shot_ranges([4], 10)
    assert split_errors([film[:4], film[4:]], ranges, film) == (0, 0)
    assert split_errors([film[:3], film[3:]], ranges, film)[0] == 2
    film[9, 0, 0, 0] = 17
    changed = film.copy()
    changed[9, 0, 0, 0] = 3
    assert split_errors([changed[:4], changed[4:]], ranges, film) == (0, 14)


def test_the_drawings_hold_what_they_were_given(course):
    matplotlib.use("agg")
    descriptors = frame_descriptors(course.frames)
    [axis] = draw_distances({"both": descriptors}, course.cuts).axes
    assert np.allclose(axis.lines[0].get_ydata(), steps(descriptors)) and len(axis.lines) == 1 + len(course.cuts)
    [axis] = draw_course(descriptors, dict(zip(course.pieces, course.starts)), 0.5, {"a": [3, 4], "b": [9]}).axes
    assert [text.get_text() for text in axis.texts] == list(course.pieces)
    assert [list(line.get_xdata()) for line in axis.lines[2:]] == [[3, 4], [9]]
    assert around_cuts(clip_path("leap"), [20]).width > 2 * 200


def test_a_flag_covers_the_cut_and_the_next_frame_and_leaves_the_film_alone():
    film = np.zeros((6, 12, 16, 3), np.uint8)
    marked = flagged(film, 100, [90, 102, 105], (255, 120, 30))
    assert [t for t in range(6) if marked[t].any()] == [2, 3, 5] and not film.any()
    assert tuple(marked[2, 0, 0]) == (255, 120, 30) and not marked[2, 3:-3, 3:-3].any()
