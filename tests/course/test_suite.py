"""Choosing what a change can affect, and projecting the suite's time to the whole course."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from common.course.base import paths
from common.course.base.paths import CourseError
from common.course.commands.test import suite_files
from common.course.suite import affected, timing

TESTS = {path.relative_to(paths.root()).as_posix() for path in suite_files()}


@pytest.mark.parametrize(
    "changed, chosen, spared",
    [
        ("common/flow/gradient.py", "tests/common/test_flow.py", "tests/common/test_convlstm.py"),
        ("common/layers/rope.py", "tests/common/test_dit.py", "tests/common/test_cuts.py"),
        ("common/course/banks/mutants.py", "tests/course/test_mutants.py", "tests/common/test_dit.py"),
        ("common/zoo/sprites_vae/card.json", "tests/common/test_zoo.py", "tests/common/test_flow.py"),
        ("tests/common/latent_kills.py", "tests/common/test_latent_cache.py", "tests/course/test_build.py"),
        ("README.md", "tests/course/test_readme.py", "tests/common/test_dit.py"),
        ("tests/common/test_dit.py", "tests/common/test_dit.py", "tests/common/test_text.py"),
    ],
)
def test_a_test_runs_when_something_it_reads_has_changed(changed, chosen, spared):
    change = affected.Change(frozenset([changed]))
    assert {chosen, spared} <= TESTS
    assert change.reaches_test(chosen) and not change.reaches_test(spared)


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints-nodeps.txt", "flipbook.py", ".ci/run"])
def test_some_changes_reach_everything(changed):
    change = affected.Change(frozenset([changed]))
    assert all(change.reaches_test(test) for test in TESTS)


def test_banks_run_for_their_own_lab_or_for_a_changed_machine():
    targets = [target for target in affected.build.targets() if target.lab]

    def reached(*files):
        change = affected.Change(frozenset(files))
        return {target.lab.id for target in targets if change.reaches_bank(target)}

    every = {target.lab.id for target in targets}
    assert reached("tests/labs/01_tensors/answers/03_optical_flow/warp/wrong_x.py") == {"01.3"}
    assert reached("tests/labs/02_early_models/test_03_tiny_video_gan.py") == {"02.3"}
    assert "02.3" in reached("common/models/video_gan.py") and "01.3" not in reached("common/models/video_gan.py")
    assert "01.2" in reached("common/course/graders/calls.py")
    assert reached("common/course/checking/guards.py") == every
    assert reached("common/course/setup/learn.py") == set()


def test_a_page_that_was_out_of_date_before_is_not_chosen(monkeypatch):
    """a change counts when a page reads it, or when what builds pages has changed"""
    monkeypatch.setattr(affected.build, "out_of_date", lambda target: ["old"])
    for target in affected.build.targets()[::12]:
        beside = target.path.with_suffix(".seconds.json").relative_to(paths.root()).as_posix()
        reached = {
            changed: affected.Change(frozenset([changed])).reaches_target(target)
            for changed in ("README.md", "CHANGELOG.md", beside, "common/course/building/notebooks.py")
        }
        assert list(reached.values()) == [False, False, True, True], (target.name, reached)


def test_what_is_chosen_is_listed_by_name():
    """test files, notebooks and banks; a kind of which nothing is left out is `all`"""
    root, targets = paths.root(), affected.build.targets(("02.3",))
    totals = {"test files": 9, "notebooks": 1, "banks": 7}
    chosen = affected.Selection([], [root / "tests/common/test_dit.py"], [targets[0].notebook], [], totals)
    assert chosen.listing().splitlines() == ["  test files: common/test_dit.py", "  notebooks: all", "  banks: none"]
    chosen = affected.Selection([], [], [], [targets[0].lab], totals)
    assert chosen.listing().splitlines()[1:] == ["  notebooks: none", "  banks: 02.3"]


def test_changed_files_are_those_of_git(tmp_path, monkeypatch):
    """changed, deleted and new files; an unknown base is one sentence"""
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    (tmp_path / "tests" / "labs").mkdir(parents=True)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]
    for name in ("kept", "changed", "deleted", "grün"):
        (tmp_path / name).write_text(name)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    (tmp_path / "changed").write_text("more")
    (tmp_path / "grün").write_text("more")
    (tmp_path / "deleted").unlink()
    (tmp_path / "new").write_text("new")
    assert affected.changed_files("HEAD") == ["changed", "deleted", "grün", "new"]
    with pytest.raises(CourseError, match="cannot tell what has changed since 'nowhere'"):
        affected.changed_files("nowhere")


def test_time_is_projected_to_the_whole_course(tmp_path, monkeypatch):
    """per lab: its notebook, its bank and the tests named after it; per tutorial its notebook; the rest once"""
    monkeypatch.setenv("FLIPBOOK_TIMES", str(tmp_path / "times.json"))
    first = timing.Times()
    first.add("solutions/01_a/01_x.ipynb::Cell 0", 4.0)
    first.add("solutions/01_a/01_x.ipynb::Cell 1", 6.0)
    first.add("solutions/01_a/02_y.ipynb::Cell 0", 20.0)
    first.add("phases/01_a/01_z.ipynb::Cell 0", 12.0)
    timing.remembered(first)
    last = timing.Times()
    last.add("tests/course/test_banks.py::test_every_wrong_answer[01.1]", 8.0)
    last.add("tests/course/test_repository.py::test_untouched[01.1]", 1.0)
    last.add("tests/common/test_dit.py::test_causal[2]", 100.0)
    whole = timing.remembered(last)
    assert whole.notebooks == Counter({"solutions/01_a/02_y.ipynb": 20.0, "phases/01_a/01_z.ipynb": 12.0,
                                       "solutions/01_a/01_x.ipynb": 10.0})  # fmt: skip
    projection = timing.project(whole)
    assert (projection.per_lab, projection.per_tutorial, projection.fixed) == ((30 + 8 + 1) / 2, 12.0, 100.0)
    assert projection.minutes == pytest.approx((51 * 19.5 + 40 * 12 + 100) / 120)
    assert "limit 45" in str(projection)
    assert json.loads((tmp_path / "times.json").read_text())["per_lab"] == 1.0


def test_a_run_prints_its_slowest_files_before_its_last_line(tmp_path):
    (tmp_path / "test_x.py").write_text("import time\n\ndef test_slow():\n    time.sleep(0.12)\n")
    command = ["-m", "pytest", "-q", "-p", "common.course.suite.timing", "-p", "no:cacheprovider", "test_x.py"]
    run = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "slowest tests, core-seconds" in run.stdout and "0.1  test_x.py" in run.stdout
    assert run.stdout.rstrip().splitlines()[-1].startswith("1 passed")
