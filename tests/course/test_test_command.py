"""`flipbook test` swallows nothing: a failed step is named and fails the run, and pytest's summary stands last."""

import re
import subprocess
import sys

import nbformat
import pytest
from click.testing import CliRunner

from common.course.base import paths
from common.course.commands import test as sequence
from common.course.suite import affected


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.parametrize("step, suite, code", [(0, 0, 0), (1, 0, 1), (0, 1, 1), (5, 3, 1)])
def test_the_run_fails_when_any_step_fails(monkeypatch, capfd, step, suite, code):
    """The failed step is named before the suite runs; the suite runs all the same, and its last line is the last."""
    steps = [("first", python(f"print('first speaks'); exit({step})"), {}), ("second", python("pass"), {})]
    monkeypatch.setattr(sequence, "steps", lambda plan: steps)
    last = python(f"print('== summary =='); exit({suite}) # pytest")
    monkeypatch.setattr(sequence, "suite", lambda plan: last)
    result = CliRunner().invoke(sequence.test, [])
    assert result.exit_code == code
    assert ("These checks failed, see above: first." in result.output) == bool(step)
    assert "first speaks" in capfd.readouterr().out


def test_arguments_go_to_pytest_and_quick_leaves_the_notebooks_out(monkeypatch):
    asked = []
    monkeypatch.setattr(sequence, "run", lambda name, command, extra: asked.append((name, command)) or True)
    CliRunner().invoke(sequence.test, ["--quick", "tests/common", "-k", "ssim", "-x"])
    assert [name for name, _ in asked] == ["ruff check", "ruff format", "types", "the test suite"]
    assert asked[-1][1][-4:] == ["tests/common", "-k", "ssim", "-x"]
    asked.clear()
    CliRunner().invoke(sequence.test, [])
    assert "build --check" in [name for name, _ in asked] and asked[-1][0] == "the test suite"


def test_changed_says_what_it_chooses_and_list_runs_nothing(monkeypatch):
    asked = []
    monkeypatch.setattr(sequence, "run", lambda name, command, extra: asked.append(name) or True)
    monkeypatch.setattr(affected, "changed_files", lambda base: ["common/flow/gradient.py"])
    said = CliRunner().invoke(sequence.test, ["--changed", "main", "--list"]).output
    assert "1 files changed. To run:" in said and "common/test_flow.py" in said and asked == []
    alone = CliRunner().invoke(sequence.test, ["--list"])
    assert alone.exit_code == 2 and "give both" in alone.output and asked == []


def test_the_banks_run_once(monkeypatch):
    """By themselves before the suite; where they did not, with it."""
    asked = {}
    monkeypatch.setattr(sequence, "run", lambda name, command, extra: asked.update({name: command}) or True)
    for words, alone in ([], True), (["--quick"], False):
        asked.clear()
        CliRunner().invoke(sequence.test, words)
        assert ("the banks of answers" in asked) == alone
        assert (f"--ignore={sequence.BANKS}" in asked["the test suite"]) == alone
    assert (paths.root() / sequence.BANKS).is_file()


def test_every_notebook_in_the_repository_is_run():
    """Solutions and tutorials, and nothing of a learner's."""
    found = {str(path.relative_to(paths.root())) for path in sequence.notebooks()}
    listed = subprocess.run(
        ["git", "ls-files", "solutions/*.ipynb", "phases/*.ipynb"], cwd=paths.root(), capture_output=True, text=True
    )
    if listed.returncode == 0:
        assert found >= set(listed.stdout.split())
    assert not any(name.startswith(("work", "labs")) for name in found)


def check_cell(stored: str) -> nbformat.NotebookNode:
    """A check cell that prints a verdict and a time, stored with this output."""
    return nbformat.v4.new_code_cell(
        "import time\nprint(f'even_indices: 3 of 3, {time.perf_counter():.2f} s')",
        execution_count=1,
        metadata={"tags": ["nbval-check-output"]},
        outputs=[nbformat.v4.new_output("stream", name="stdout", text=stored)],
    )


def test_a_verdict_that_changed_fails_and_a_time_that_changed_does_not(tmp_path):
    """The notebooks' step, as it is, on a cell whose stored verdict is true and on one whose verdict is not."""
    cells = [check_cell("even_indices: 3 of 3, 0.01 s\n"), check_cell("even_indices: 2 of 3, 0.01 s\n")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01_a.ipynb")
    command = [*sequence.nbval([tmp_path / "01_a.ipynb"]), "-n", "0"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 1 and "1 failed, 1 passed" in run.stdout, run.stdout
    assert re.search(r"FAILED.*Cell 1", run.stdout)


def sanitized(text: str) -> str:
    """What nbval compares of this output."""
    config = (paths.root() / "tests" / "nbval_sanitize.cfg").read_text()
    for pattern, replacement in re.findall(r"^regex: (.*)$\n^replace: (.*)$", config, re.M):
        text = re.sub(pattern, replacement, text)
    return text


@pytest.mark.parametrize(
    "one, other",
    [
        ("<Figure size 640x480 with 2 Axes>", "<Figure size 1280x480 with 3 Axes>"),
        ("took 0.35 s", "took 12 s"),
        ("object at 0x7f3a2b1c4d5e>", "object at 0x55d0c0ffee00>"),
        ('<img src="data:image/jpeg;base64,AAAA+/==">', '<img src="data:image/jpeg;base64,BBBBCCCC">'),
        (" 40%|████      | 4/10 [00:01<00:02,  2.50it/s]", " 60%|██████    | 6/10 [00:03<00:02,  1.9it/s]"),
        ("score 0.12345678", "score 0.12399999"),
    ],
)
def test_what_differs_between_machines_is_not_compared(one, other):
    assert sanitized(one) == sanitized(other) != ""


@pytest.mark.parametrize(
    "verdict", ["3 of 3 tests passed", "PSNR 31.42 dB", "motion 0.05 of the range", "24 frames, 24 fps"]
)
def test_verdicts_are_compared_to_the_last_digit(verdict):
    assert sanitized(verdict) == verdict


def test_changed_runs_what_was_chosen_and_says_what_it_left_out(monkeypatch):
    """One lab's grader has changed: its bank, its notebook, and the tests that look at graders as files."""
    asked = {}
    monkeypatch.setattr(sequence, "run", lambda name, command, extra: asked.update({name: command}) or True)
    grader = "tests/labs/01_tensors/test_03_optical_flow.py"
    monkeypatch.setattr(affected, "changed_files", lambda base: [grader])
    monkeypatch.setattr(affected.build, "out_of_date", lambda target: [])
    result = CliRunner().invoke(sequence.test, ["--changed"])
    assert result.exit_code == 0, result.output
    assert f"1 of {len(paths.all_labs())} banks" in result.output and "Left out" in result.output
    assert asked["the banks of answers"][-2:] == ["-k", "[01.3]"]
    [notebooks] = [command for name, command in asked.items() if "notebooks" in name]
    assert [word.rpartition("/")[2] for word in notebooks if word.endswith(".ipynb")] == ["03_optical_flow.ipynb"]
    assert "tests/course/test_repository.py" in asked["the test suite"]
    assert "tests/common/test_flow.py" not in asked["the test suite"]


def test_nothing_to_run_is_said_and_passes(monkeypatch):
    monkeypatch.setattr(sequence, "run", lambda name, command, extra: True)
    monkeypatch.setattr(affected, "changed_files", lambda base: ["benchmarks/cuts.py"])
    monkeypatch.setattr(affected.build, "out_of_date", lambda target: [])
    result = CliRunner().invoke(sequence.test, ["--changed", "main"])
    assert result.exit_code == 0 and "No test file reads anything that has changed." in result.output
