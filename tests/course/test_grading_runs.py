"""Whole runs of `flipbook grade`: the answer key is out of reach, Ctrl-C keeps grades, --unsafe works and says so."""

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from common.course.base import paths
from common.course.commands.grade import grade
from common.course.grading import batch
from common.course.grading.seal import seal
from common.course.grading.supervise import Ending, Run
from common.course.source import lab_source

NEEDS_BUBBLEWRAP = pytest.mark.skipif(
    not shutil.which("bwrap") and not os.environ.get("CI"), reason="bubblewrap is not installed"
)
EASY = "even_indices"
# Ways to hand in the library's own answer, or the bank's, as one's own.
THIEVES = {
    "imports_it": "from common.video import even_indices",
    "wraps_it": "from common.video import sampling\n\ndef even_indices(total, num_frames):\n"
    "    return sampling.even_indices(total, num_frames)",
    "reads_its_source": "import inspect\nfrom common.video import sampling\n"
    "exec(inspect.getsource(sampling.even_indices))",
    "reads_it_from_the_environment": """
import os, sys

def even_indices(total, num_frames):
    for top in {*sys.path, *os.environ.values(), "/"}:
        for place, _, files in os.walk(top):
            if place.startswith(("/proc", "/site", "/usr", "/root")):
                continue
            for name in files:
                path = os.path.join(place, name)
                if name.endswith((".py", ".pyc")) and ("sampling" in name or "answers" in path):
                    scope = {}
                    try:
                        exec(open(path).read(), scope)
                        return scope["even_indices"](total, num_frames)
                    except (KeyError, OSError, SyntaxError, ValueError, ImportError):
                        continue
    return []
""",
    "reads_the_bank": """
from pathlib import Path

def even_indices(total, num_frames):
    for bank in ("/course/tests", "@ROOT@/tests"):
        for path in sorted(Path(bank).rglob("right_*.py")):
            scope = {}
            exec(path.read_text(), scope)
            return scope["even_indices"](total, num_frames)
    return []
""",
}


def hand_in(folder: Path, lab, student: str, **cells: str) -> None:
    notebook = json.loads(lab.notebook("solutions").read_text())
    for cell in notebook["cells"]:
        name = cell["metadata"].get("flipbook", {}).get("exercise")
        if name in cells:
            cell["source"] = cells[name].replace("@ROOT@", str(paths.root()))
    (folder / student).mkdir(parents=True)
    (folder / student / f"{lab.stem}.ipynb").write_text(json.dumps(notebook))


@NEEDS_BUBBLEWRAP
def test_the_answer_key_is_no_answer(tmp_path):
    lab = lab_source.find_lab("01.2")
    hand_in(tmp_path / "class", lab, "honest")
    for thief, cell in THIEVES.items():
        hand_in(tmp_path / "class", lab, thief, **{EASY: cell})
    options = ["--out", str(tmp_path / "out"), "--json", "-j", "2"]
    result = CliRunner().invoke(grade, [str(tmp_path / "class"), *options], catch_exceptions=False)
    rows = {row["student"]: row for row in json.loads(result.stdout)["submissions"]}
    assert rows["honest"]["points"] == rows["honest"]["max"] > 0
    assert rows["honest"]["notes"] == []
    for thief in THIEVES:
        passed = {
            test["test"] for test in rows[thief]["tests"] if test["status"] == "pass" and test["exercise"] == EASY
        }
        assert not passed, thief
        others = {test["status"] for test in rows[thief]["tests"] if test["exercise"] == "fps_indices"}
        assert others == {"pass"}, thief


@NEEDS_BUBBLEWRAP
def test_ctrl_c_keeps_what_was_graded_and_leaves_nothing_running(mini_course, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "out"
    slow = "import time\n\ndef double(x):\n    time.sleep(60)"
    mini_course.write(folder / "a.ipynb")
    for name in "bcd":
        mini_course.write(folder / f"{name}.ipynb", {"double": slow})
    command = [sys.executable, "-m", "common.course", "grade", str(folder), "--out", str(out), "-j", "1"]
    checkout = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [*command, "--test-timeout", "60"], cwd=checkout, start_new_session=True, stderr=subprocess.PIPE
    )
    workers, deadline = set(), time.monotonic() + 60
    while len(workers) < 3 and time.monotonic() < deadline:  # one collects the tests, one grades `a`, one is at `b`
        workers |= {pid for pid, words in _children(process.pid).items() if b"--args" in words}
        time.sleep(0.02)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    text = (out / "grades.csv").read_text(encoding="utf-8-sig")
    assert '\n"a","01.1","9","9"' in text and '\n"d",' not in text
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


@pytest.mark.skipif(sys.platform != "linux", reason="there a killed parent's workers end by their own limits")
@pytest.mark.parametrize("option", [pytest.param("--seed=0", marks=NEEDS_BUBBLEWRAP), "--unsafe"])
def test_a_killed_run_leaves_no_process_and_its_folder_is_swept(mini_course, tmp_path, option, monkeypatch):
    """kill -9 on `grade` ends its workers. A day later the next run removes its folder, and no living run's."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    mini_course.write(tmp_path / "class" / "a.ipynb", {"double": "import time\n\ndef double(x):\n    time.sleep(600)"})
    command = [sys.executable, "-m", "common.course", "grade", str(tmp_path / "class"), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [*command, option, "--test-timeout", "600"], cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"TMPDIR": str(scratch)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    workers, deadline = set(), time.monotonic() + 60
    while len(workers) < 2 and time.monotonic() < deadline:  # one collects the tests, one grades
        workers |= {pid for pid, words in _children(process.pid).items() if b"-c" in words or b"--args" in words}
        time.sleep(0.02)
    [folder] = scratch.iterdir()
    os.utime(folder, (0, 0))
    batch.sweep_abandoned()
    assert folder.is_dir(), "its run is alive"
    process.kill()
    process.wait()
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    os.utime(folder)
    batch.sweep_abandoned()
    assert folder.is_dir(), "too young"
    (scratch / "flipbook-grade-link").symlink_to(tmp_path)
    os.utime(folder, (0, 0))
    with batch.temporary_folder() as mine:
        assert not folder.exists() and mine.is_dir() and (tmp_path / "class").is_dir()


def _children(process: int) -> dict[int, bytes]:
    """Process ids and command lines of the processes that this one started."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == process:
                found[int(folder.name)] = (folder / "cmdline").read_bytes()
    return found


def test_unsafe_grades_the_same_and_says_what_it_is(mini_course, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "out"
    mini_course.write(folder / "a.ipynb")
    mini_course.write(folder / "b.ipynb", {"double": "def double(x):\n    return bytearray(8 << 30)"})
    options = ["--out", str(out), "--unsafe", "--json", "--memory", "1"]
    result = CliRunner().invoke(grade, [str(folder), *options], catch_exceptions=False)
    book = json.loads(result.stdout)
    assert book["unsafe"] and "WITHOUT a sandbox" in result.stderr
    assert [row["points"] for row in book["submissions"]] == [9.0, 1.0]
    assert "MemoryError" in book["submissions"][1]["tests"][0]["message"]
    done = [line for line in result.stderr.splitlines() if " of 2: " in line]
    assert sorted(line.partition(": ")[2].split()[:3] for line in done) == [["a", "01.1", "9/9"], ["b", "01.1", "1/9"]]


def test_the_seal_notices_a_replaced_tool_and_no_honest_import(monkeypatch):
    import numpy.testing
    import torch

    broken = seal()
    import torch._dynamo

    assert broken() == ""
    for owner, name in (
        (torch, "equal"),
        (torch.Tensor, "__eq__"),
        (numpy.testing, "assert_allclose"),
        (pytest, "raises"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, lambda *a, **k: True)
            assert broken().endswith(name)
    assert broken() == ""
    assert torch._dynamo


def no_process(run):
    return Ending(False, why="no process could be started")


def refused_by_the_system(run):
    raise BlockingIOError(11, "Resource temporarily unavailable")


def dead_before_the_notebook(run):
    run.take("ready")
    run.take("start", next(iter(run.tests)))
    return Ending(False, why="the process crashed: killed, as when memory runs out")


@pytest.mark.parametrize("fails", [no_process, refused_by_the_system, dead_before_the_notebook])
def test_a_worker_that_never_starts_is_our_failure_and_costs_no_points(mini_course, tmp_path, monkeypatch, fails):
    """tried again, then "not graded" with an exit code of its own, in every report"""
    folder, out = tmp_path / "class", tmp_path / "out"
    for name in "ab":
        mini_course.write(folder / f"{name}.ipynb")
    tries = []
    started = batch.supervise

    def failing(command, job, run, *rest):
        if len(tries) < 2 or (job["submission"] and len(tries) < 5):  # the collection of the tests, twice, then `a`
            tries.append(job["submission"])
            command.close()
            return fails(run if run.tests else Run({"test_x": None}))
        return started(command, job, run, *rest)

    monkeypatch.setattr(batch, "supervise", failing)
    monkeypatch.setattr(batch.time, "sleep", lambda seconds: None)
    words = ["grade", str(folder), "--out", str(out), "--unsafe", "--json", "-j", "1"]
    result = CliRunner().invoke(grade, words[1:])
    assert result.exit_code == 3, result.output
    assert "ungraded" in result.stderr and "1 not graded because grading failed" in result.stderr
    rows = list(csv.DictReader((out / "grades.csv").open(encoding="utf-8-sig")))
    assert [(row["student"], row["points"]) for row in rows] == [("a", ""), ("b", "9")]
    assert "not the student's fault" in rows[0]["notes"]
    assert [row["points"] for row in json.loads(result.stdout)["submissions"]] == [None, 9.0]
    [feedback] = (out / "feedback" / "a").iterdir()
    for name in ("feedback.txt", "feedback.html"):
        assert "grading failed, which is no fault of yours" in (feedback / name).read_text()
    told = json.loads((feedback / "results.json").read_text())
    assert "score" not in told and "grading failed" in told["output"]


def test_what_goes_wrong_on_our_side_is_no_grade(mini_course, tmp_path, monkeypatch):
    mini_course.write(tmp_path / "class" / "a.ipynb")
    monkeypatch.setattr(batch, "sanitized", lambda *_: 1 / 0)
    options = ["--out", str(tmp_path / "out"), "--unsafe"]
    result = CliRunner().invoke(grade, [str(tmp_path / "class"), *options])
    assert result.exit_code == 3 and "ungraded" in result.output and "ZeroDivisionError" in result.output


@NEEDS_BUBBLEWRAP
def test_a_class_of_our_own_notebooks_gets_full_marks_or_none_and_no_note(tmp_path):
    """every reference solution and every lab as it is handed out, graded in the sandbox as a student's would be"""
    folder, out = tmp_path / "class", tmp_path / "out"
    for lab in paths.all_labs():
        for student, target in (("solved", "solutions"), ("blank", "labs")):
            copy = folder / student / lab.notebook(target).name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(lab.notebook(target), copy)
    result = CliRunner().invoke(grade, [str(folder), "--out", str(out)])
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader((out / "grades.csv").open(encoding="utf-8-sig")))
    assert len(rows) == 2 * len(paths.all_labs())
    assert [row for row in rows if row["notes"]] == []
    wrong = [row for row in rows if row["points"] != (row["max"] if row["student"] == "solved" else "0")]
    assert wrong == [] and all(float(row["max"]) > 0 for row in rows)
