"""Seconds per cell: measured by the build, kept without flutter, said where they are many, and true in the headers."""

import json
import re

import pytest

from common.course.building import build, seconds
from tests.course.buildable_course import make_course

TARGETS = build.targets()
MEASURED = [target for target in TARGETS if seconds.kept(target.path)]
STATED = re.compile(r"^# \| `cpu`.*\| *(\d+) (s|min)\b[^|]*\|$", re.M)
MOST_AT_CI = 30  # core-seconds: the budget of 20, as coarsely as it is kept
NOT_YET = {
    "02.1", "02.2", "02.4", "03.1", "03.3", "03.4", "04.1", "04.2", "04.3", "04.4", "04.5", "05.2", "05.5", "06.1",
    "06.2", "06.3", "06.5", "09.2", "09.3", "09.4", "09.5",
    "01_tensors/03_boxes_and_colours",
    "01_tensors/04_motion_cuts_and_loading", "05_video_vae/01_latent_compression",
    "03_image_to_video/01_one_picture_and_what_moves", "03_image_to_video/02_layers_that_start_as_nothing",
    "03_image_to_video/03_how_much_and_from_where",
    "04_inflated_unet/01_layers_that_see_time", "04_inflated_unet/02_more_noise_for_more_frames",
    "04_inflated_unet/03_guidance_cascades_stills",
    "06_dit_flow_matching/01_from_prompt_to_clip", "09_world_models/01_the_loop",
    "09_world_models/02_dreaming_in_latents", "09_world_models/03_actions_no_one_recorded",
    "09_world_models/04_landmarks_and_neighbours",
}  # fmt: skip


def named(target):
    return target.name


# ------------------------------------------------------------------------------------------ what is kept


@pytest.mark.parametrize(
    "old, new, known",
    [(0, 14.0, 15), (0, 400.0, 420), (20, 28.0, 20), (20, 14.0, 20), (20, 31.0, 30), (20, 9.0, 10), (0, 0.0, 1)],
)
def test_a_kept_number_is_coarse_and_stays_while_measurements_are_near_it(old, new, known):
    assert seconds.settled(old, new) == known


def test_the_file_changes_only_with_a_measurement_that_differs_by_half(tmp_path):
    source = tmp_path / "01_x.py"
    assert seconds.keep(source, "cpu", {"train()": (31.0, True), "plot()": (2.0, False)})
    before = seconds.beside(source).read_bytes()
    for noisy in (22.0, 31.0, 44.0):
        assert not seconds.keep(source, "cpu", {"train()": (noisy, True), "plot()": (1.0, False)})
    assert seconds.beside(source).read_bytes() == before
    assert seconds.kept(source)["cpu"]["cells"] == {"train()": {"seconds": 30, "bar": True}}
    assert seconds.keep(source, "cpu", {"train()": (61.0, True)})
    assert seconds.long_cells(source) == {"train()": 60}


def test_one_preset_leaves_the_other_alone(tmp_path):
    source = tmp_path / "01_x.py"
    seconds.keep(source, "cpu", {"train()": (300.0, True)})
    seconds.keep(source, "ci", {"train()": (9.0, False)})
    assert {preset: entry["all"] for preset, entry in seconds.kept(source).items()} == {"cpu": 300, "ci": 10}


@pytest.mark.parametrize(
    "text, bar",
    [("training:  40%|####      | 4/10 [00:03<00:05]", True), ("\rwatching: 12 step [00:01, 9.3 step/s]", True),
     ("40% of the frames", False), ("speed: 9.3 m/s", False)],
)  # fmt: skip
def test_a_progress_bar_is_known_by_what_it_draws(text, bar):
    assert seconds.showed_bar({"outputs": [{"output_type": "stream", "text": text}]}) is bar


# ------------------------------------------------------------------------------------------ how it is measured and said


def test_the_build_measures_the_processor_and_not_the_clock(tmp_path, monkeypatch):
    course = make_course(tmp_path, monkeypatch)
    course.change("import os\n", "import os, time\n\n\ndef check(lab, exercise):\n    time.sleep(3)\n")
    busy = "end = time.process_time() + 4\nwhile time.process_time() < end:\n    pass\n"
    course.change("print(double(21)", f"{busy}print(double(21)")
    build.build(course.target)
    assert 4 <= seconds.kept(course.target.path)["ci"]["all"] <= 10


def test_a_cell_of_many_seconds_says_so_before_it_runs(tmp_path, monkeypatch):
    course = make_course(tmp_path, monkeypatch)
    plain = build.targets()[0].draft
    name = dict(seconds.names(plain.cells))[len(plain.cells) - 1]
    seconds.beside(course.lab.source).write_text(
        json.dumps({"cpu": {"all": 140, "cells": {name: {"seconds": 120, "bar": True}}}})
    )
    draft = build.targets()[0].draft
    assert draft.cells[-2]["source"] == "⏱ *About 2 minutes of one processor core.*"
    assert len(draft.cells) == len(plain.cells) + 1 == len(draft.places)
    course.change('# %% tags=["demo"]\n', '# %% tags=["demo"] draws="A number."\n')
    assert build.targets()[0].draft.cells[-2]["source"] == "▸ *A number.* · ⏱ about 2 minutes of one processor core"


# ------------------------------------------------------------------------------------------ the course's own pages


@pytest.mark.parametrize("target", MEASURED, ids=named)
def test_every_kept_cell_is_still_there_and_has_a_progress_bar(target):
    known = dict(seconds.names(target.draft.cells)).values()
    for name, entry in seconds.kept(target.path).get("cpu", {}).get("cells", {}).items():
        assert name in known, f"{name!r} has changed: run `flipbook build --measure {target.name}`"
        assert entry["bar"] or entry["seconds"] <= seconds.LONG, f"{name!r} takes {entry['seconds']} s without a bar"


@pytest.mark.parametrize("target", [t for t in MEASURED if t.lab], ids=named)
def test_what_a_lab_says_it_takes_is_what_was_measured(target):
    said = STATED.search(target.path.read_text(encoding="utf-8"))
    measured = seconds.kept(target.path).get(seconds.SHOWN)
    if said and measured:
        stated = int(said[1]) * (60 if said[2] == "min" else 1)
        ratio = max(stated, measured["all"]) / min(stated, measured["all"])
        assert ratio <= seconds.FACTOR, f"{target.name} says {stated} s, and {measured['all']} were measured"


def test_a_run_at_ci_fits_its_budget():
    at_ci = {t.name: seconds.kept(t.path)["ci"]["all"] for t in MEASURED if "ci" in seconds.kept(t.path)}
    assert {name: took for name, took in at_ci.items() if took > MOST_AT_CI} == {}


def test_every_page_is_measured_as_learners_run_it():
    """`flipbook build --measure ID` takes that page out of the list, and none joins it"""
    missing = {t.name for t in TARGETS if seconds.SHOWN not in seconds.kept(t.path)}
    assert missing == NOT_YET
