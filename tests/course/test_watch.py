"""A saved notebook is checked once, whatever way an editor saves it, and nothing it does ends the watcher."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from watchfiles import Change

from common.course.learner import progress, watch

pytestmark = pytest.mark.skipif(not watch.CAN_FORK, reason="here checks run without a fork")


class Watcher:
    """`flipbook watch` in a process of its own; `.until(words)` reads what it says."""

    def __init__(self, root):
        self.log = root / "said.txt"
        environment = os.environ | {"FLIPBOOK_ROOT": str(root), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "common.course", "watch"]
        with self.log.open("w") as file:
            self.process = subprocess.Popen(
                command, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )

    def said(self):
        return self.log.read_text()

    def until(self, words, times=1, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.said().count(words) >= times:
                return self.said()
            time.sleep(0.02)
        raise AssertionError(f"{words!r} was not said {times} times in {seconds} s:\n{self.said()}")

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


@pytest.fixture
def watcher(mini_course):
    mini_course.write("work")
    process = Watcher(mini_course.root)
    try:
        process.until("watching")
        time.sleep(0.3)  # the file system's own watch begins
        yield process
    finally:
        if process.process.poll() is None:
            os.killpg(process.process.pid, signal.SIGKILL)
            process.process.wait()


def save_like_jupyter(file, notebook):
    """Into a hidden neighbour, then over the old one, with a checkpoint beside it."""
    half = file.with_name(f".~{file.name}")
    half.write_text(json.dumps(notebook))
    half.replace(file)
    checkpoint = file.parent / ".ipynb_checkpoints" / f"{file.stem}-checkpoint.ipynb"
    checkpoint.parent.mkdir(exist_ok=True)
    checkpoint.write_text(json.dumps(notebook))


def test_a_whole_session_of_saves(mini_course, watcher):
    """One watcher sees a wrong answer, half a file, a crash of the process, an endless loop, and the right answer."""
    file = mini_course.lab.notebook("work")
    headline = "Lab 01.1: "

    save_like_jupyter(file, mini_course.make_notebook({"double": "def double(x):\n    return 2 * abs(x)"}))
    said = watcher.until(headline)
    assert "4 of 5 tests pass, 7 of 9 points" in said
    assert "the sign is lost: twice -2 is -4, and yours gives 4" in said
    assert progress.load()["labs"]["01.1"]["exercises"]["double"]["status"] == "fail"

    file.write_text('{"cells": [')
    watcher.until("not a readable notebook")

    save_like_jupyter(file, mini_course.make_notebook({"double": "import os\ndef double(x):\n    os._exit(3)"}))
    watcher.until("the process that checked it ended")

    save_like_jupyter(file, mini_course.make_notebook({"double": "def double(x):\n    while True: pass"}))
    time.sleep(1)
    save_like_jupyter(file, mini_course.make_notebook())
    said = watcher.until("all 5 tests pass, 9 of 9 points", seconds=10)

    time.sleep(0.5)
    said = watcher.said()
    assert said.count(headline) == 2, "the endless check was replaced by the newer save, and nothing was checked twice"
    assert progress.load()["labs"]["01.1"]["exercises"]["double"]["status"] == "pass"
    assert watcher.interrupt() == 0
    assert watcher.said().rstrip().endswith("stopped watching") and "Traceback" not in watcher.said()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("01_tiny/01_numbers.ipynb", True),
        ("01_tiny/.~01_numbers.ipynb", False),
        ("01_tiny/.ipynb_checkpoints/01_numbers-checkpoint.ipynb", False),
        (".flipbook/backups/01_numbers.ipynb", False),
        ("01_tiny/notes.md", False),
    ],
)
def test_only_notebooks_of_the_learner_are_looked_at(name, wanted):
    assert watch.is_notebook(Change.modified, f"/home/ada/.local/course/work/{name}") is wanted


def test_a_file_is_checked_again_only_when_it_changed(mini_course, monkeypatch):
    said = []
    checker = watch.Checker(said.append)
    monkeypatch.setattr(watch, "CAN_FORK", False)
    file = mini_course.write("work")
    checker.saved(file)
    checker.saved(file)
    assert len(said) == 1
    os.utime(file, ns=(1, 1))
    checker.saved(file)
    assert len(said) == 2


def test_a_notebook_that_is_no_lab_is_left_alone(mini_course):
    own = mini_course.lab.notebook("work").with_name("my_notes.ipynb")
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("{}")
    said = []
    watch.Checker(said.append).saved(own)
    watch.Checker(said.append).saved(own.with_name("removed.ipynb"))
    assert said == []


def test_a_finished_lab_says_so(mini_course):
    said = watch.verdict(mini_course.lab, mini_course.write("work"))
    assert "all 5 tests pass, 9 of 9 points" in said and "✘" not in said
