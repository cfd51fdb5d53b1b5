"""`flipbook show CLIP --mine`: the learner's sampler draws the sheet, and the command says so."""

import functools
import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from common import video
from common.cli.show import show as library_show
from common.course.base import paths
from common.course.commands.show import show
from common.course.learner import swap
from common.course.source import lab_source
from common.data import clip_path
from tests.course.test_mine import OTHER_COMMANDS

REAL_ROOT = paths.root()
LAB = lab_source.find_lab("01.2")
# Lab -> how `show` comes to run its parts, where a plain sheet does not: on a film that has cuts, with these options.
EXTRA = {"01.3": ["--flow"], "01.4": ["--cuts", "--split", "shots"]}


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Twenty frames, each brighter than the one before."""
    frames = np.stack([np.full((48, 64, 3), 10 * i, np.uint8) for i in range(20)])
    path = tmp_path_factory.mktemp("film") / "steps.mp4"
    video.write(path, frames, fps=10)
    return path


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A learner's copy of lab 01.2 in a course of its own: the reference answers, less what a test replaces."""
    for file in (LAB.source, LAB.tests):
        copy = tmp_path / file.relative_to(REAL_ROOT)
        copy.parent.mkdir(parents=True)
        shutil.copy(file, copy)
    reference = json.loads(LAB.notebook("solutions").read_text())
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    notebook = LAB.notebook("work")
    notebook.parent.mkdir(parents=True)

    def write(answers):
        for cell in reference["cells"]:
            name = cell["metadata"].get("flipbook", {}).get("exercise")
            cell["source"] = answers.get(name, cell["source"])
        notebook.write_text(json.dumps(reference))

    return write


def draw(command, clip, out, *options):
    ran = CliRunner().invoke(command, [str(clip), "--out", str(out), "-n", "5", *options])
    return ran, np.asarray(Image.open(out).convert("RGB")) if out.exists() else None


# Labs that are a study: their own pages measure and draw with the learner's parts, and no command has a use for all of
# them. (Of 05.4 the quantizer runs in `reconstruct`, which test_mine.py tries; LFQ ships with no model.)
STUDIES = {"01.5", "04.5", "05.1", "05.4", "05.5", "06.2", "06.3", "06.4"}
# The same of single parts: what lab 01.1 proves and times loaders with.
MEASURING = {"decoded_per_asked", "read_planned", "compare_frames", "time_fairly"}
SHOWN = [
    part for part in swap.parts() if part.lab.id not in {*OTHER_COMMANDS, *STUDIES} and part.exercise not in MEASURING
]


@pytest.mark.parametrize("part", SHOWN, ids=lambda part: f"{part.lab.id}-{part.exercise}")
def test_a_swapped_part_is_called_by_the_library_command(part, film, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clip, extra = (clip_path("film_cuts"), EXTRA[part.lab.id]) if part.lab.id in EXTRA else (film, [])
    calls = []
    original = part.find()

    @functools.wraps(original)
    def counting(*args, **kwargs):
        calls.append(args)
        return original(*args, **kwargs)

    with swap.swapped(part.library, counting):
        for options in (extra, ["--fps", "4"]):
            ran, _ = draw(library_show, clip, tmp_path / "sheet.png", *options)
            assert ran.exit_code == 0, ran.output
    assert calls, f"no command runs {part.library}: a learner would never see their own"


def test_right_answers_draw_the_librarys_sheet_and_are_called_yours(work, film, tmp_path):
    work({})
    ran, theirs = draw(show, film, tmp_path / "mine.png", "--mine")
    _, librarys = draw(show, film, tmp_path / "library.png")
    assert ran.exit_code == 0, ran.output
    assert ran.output.count("yours (not checked yet)") == 5
    assert np.array_equal(theirs, librarys)


def test_it_really_is_the_learners_sampler(work, film, tmp_path):
    work({"even_indices": "def even_indices(total, num_frames):\n    return [0] * num_frames\n"})
    ran, still = draw(show, film, tmp_path / "mine.png", "--mine")
    _, moving = draw(show, film, tmp_path / "library.png")
    assert "motion score between neighbouring frames of the sheet: 0.0000" in ran.output
    assert not np.array_equal(still, moving)


def test_an_untouched_lab_runs_on_the_library(work, film, tmp_path):
    names = [part.exercise for part in swap.parts([LAB])]
    work({name: f"def {name}(*args, **kwargs):\n    raise NotImplementedError\n" for name in names})
    ran, sheet = draw(show, film, tmp_path / "mine.png", "--mine")
    assert ran.exit_code == 0 and sheet is not None
    assert ran.output.count("library (not written yet)") == len(names)


def test_a_crash_names_the_exercise_the_line_and_the_way_out(work, film, tmp_path):
    broken = "def even_indices(total, num_frames):\n    step = total / (num_frames - 5)\n    return [step]\n"
    work({"even_indices": broken})
    ran, sheet = draw(show, film, tmp_path / "mine.png", "--mine")
    said = str(ran.exception)
    assert isinstance(ran.exception, paths.CourseError) and sheet is None
    assert "your `even_indices` (lab 01.2) stopped at line 2 of its cell: `step = total / (num_frames - 5)`" in said
    assert "ZeroDivisionError" in said and "without --mine" in said
    assert draw(show, film, tmp_path / "library.png")[0].exit_code == 0  # and what it says is so


def test_frames_beyond_the_end_are_charged_to_the_part_that_asked_for_them(work, film, tmp_path):
    work({"even_indices": "def even_indices(total, num_frames):\n    return [total] * num_frames\n"})
    ran, _ = draw(show, film, tmp_path / "mine.png", "--mine")
    assert "your `sample_clip`" in str(ran.exception) and "FrameIndexError" in str(ran.exception)


def test_a_refusal_of_their_own_reads_as_one(work, film, tmp_path):
    work({})
    ran, _ = draw(show, film, tmp_path / "mine.png", "--mine", "--fps", "1", "--start", "1.5")
    assert "your `sample_clip` (lab 01.2) refused at line" in str(ran.exception)


def test_a_bad_file_is_nobodys_bug(work, tmp_path):
    work({})
    said = [draw(show, tmp_path / "absent.mp4", tmp_path / "x.png", *more)[0].output for more in ([], ["--mine"])]
    assert said[0] == said[1] and "absent.mp4" in said[0]


def test_only_the_parts_that_ran_are_named(work, film, tmp_path):
    """Not those of other labs, nor one of this lab that no one called."""
    work({})
    ran, _ = draw(show, film, tmp_path / "mine.png", "--mine")
    named = {line.split()[1] for line in ran.output.partition("whose parts ran:\n")[2].splitlines()}
    assert "sample_clip" in named
    with swap.mine() as report, swap.calls() as called:
        from common.video.sampling import even_indices

        even_indices(10, 3)
    assert [row.part.exercise for row in report.of(called).rows] == ["even_indices"]
    assert str(report.of(set())) == "  all are the library's"
