"""Every attack in `hostile/`, handed in by a class with honest students: each gets its own verdict, no more, no less.

A file is the cell of exercise `double`. Its docstring says what must come of it: for each exercise the statuses of its
tests, and words that the instructor must find in the notes. `@ROOT@`, `@CLASS@`, `@OUT@` and `@PORT@` stand for the
course, the class's folder, the reports' folder and a server on this machine, `# @MAGIC@` for a line that is no Python.
"""

import csv
import json
import os
import re
import shutil
import socket
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from common.course.checking import runner

HOSTILE = Path(__file__).parent / "hostile"
ATTACKS = sorted(path.stem for path in HOSTILE.glob("*.py"))
SECRET = "SECRET-OF-THE-INSTRUCTOR"
HONEST = {
    "honest_a": {},
    "honest_m": {"double": "def double(x):\n    return 2 * abs(x)"},
    "honest_z": {"greeting": "def greeting(name):\n    raise NotImplementedError"},
}


def described(name: str) -> dict:
    docstring = (HOSTILE / f"{name}.py").read_text().split('"""')[1]
    expect = dict(part.split("=") for part in re.search(r"Expect: (.*)", docstring)[1].split())
    note = re.search(r"Note: (.*)", docstring)
    return {"expect": {k: set(v.split(",")) for k, v in expect.items()}, "note": note[1] if note else ""}


class Graded:
    """One batch: the class, what the command printed and wrote, what the server heard."""

    def __init__(self, course, folder):
        self.course, self.klass, self.out = course, folder / "class", folder / "out"
        self.heard = []

    def hand_in(self, port):
        self.klass.mkdir()
        for student, cells in HONEST.items():
            self.course.write(self.klass / f"{student}.ipynb", cells)
        marks = {"@ROOT@": self.course.root, "@CLASS@": self.klass, "@OUT@": self.out, "@PORT@": port}
        marks["# @MAGIC@"] = "%matplotlib inline"
        for attack in ATTACKS:
            text = (HOSTILE / f"{attack}.py").read_text()
            for mark, value in marks.items():
                text = text.replace(mark, str(value))
            cell = text.split('"""', 2)[2]
            self.course.write(self.klass / attack / "homework.ipynb", {"double": cell})

    def grade(self):
        from common.course.commands.grade import grade

        options = ["--out", str(self.out), "--json", "--test-timeout", "2.5", "--memory", "1", "-j", "2"]
        self.result = CliRunner().invoke(grade, [str(self.klass), *options], catch_exceptions=False)
        self.rows = {row["student"]: row for row in json.loads((self.out / "grades.json").read_text())["submissions"]}


def listening(heard) -> socket.socket:
    """A server that gives the right answer to whoever gets through."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            heard.append(client)
            client.sendall(b"6")
            client.close()

    threading.Thread(target=serve, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def batch(request, tmp_path_factory):
    if not shutil.which("bwrap"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("bubblewrap is not installed")
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("attacks")
        course = request.getfixturevalue("make_course")(folder / "course", patch)
        patch.setenv("FLIPBOOK_TEST_SECRET", SECRET)
        graded = Graded(course, folder)
        server = listening(graded.heard)
        graded.hand_in(server.getsockname()[1])
        graded.grade()
        server.close()
        yield graded


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_its_own_verdict(batch, name):
    row, wanted = batch.rows[name], described(name)
    got: dict = {}
    for test in row["tests"]:
        got.setdefault(test["exercise"], set()).add(test["status"])
    told = [(test["status"], test["message"][:200]) for test in row["tests"]]
    for exercise, statuses in wanted["expect"].items():
        assert got[exercise] <= statuses, (exercise, told, row["notes"])
    assert wanted["note"] in " ".join(row["notes"])
    assert not any("LEAK" in test["message"] for test in row["tests"])


def test_honest_students_keep_their_exact_grades(batch):
    for student in HONEST:
        row = batch.rows[student]
        alone = runner.run_tests(batch.course.lab, submission=batch.klass / f"{student}.ipynb")
        assert [t["status"] for t in row["tests"]] == [r.status for r in alone]
        assert [t["message"] for t in row["tests"]] == [r.message for r in alone]
        assert row["points"] == sum(r.earned for r in alone)
        assert row["notes"] == []


def test_no_wrong_answer_earned_the_points_of_a_right_one(batch):
    for name in ATTACKS:
        gained = {test["test"] for test in batch.rows[name]["tests"] if test["status"] == "pass"}
        if "return 2 * x" not in (HOSTILE / f"{name}.py").read_text():
            assert "test_double_of_three" not in gained and "test_double_of_others[-2]" not in gained, name


def test_what_an_attack_gains_is_never_silent(batch):
    for name in ATTACKS:
        row = batch.rows[name]
        right = "return 2 * x" in (HOSTILE / f"{name}.py").read_text()
        gained = [t["test"] for t in row["tests"] if t["status"] == "pass" and t["exercise"] in ("double", "quadruple")]
        honest = [] if right else [test for test in gained if test != "test_double_of_others[0]"]  # twice 0 is 0
        assert not honest or row["notes"], (name, honest)


def test_nothing_outside_was_touched(batch):
    assert batch.heard == []
    files = sorted(path.name for path in batch.klass.rglob("*"))
    assert files == sorted([*(f"{s}.ipynb" for s in HONEST), *ATTACKS, *["homework.ipynb"] * len(ATTACKS)])
    assert sorted(path.name for path in batch.out.iterdir()) == ["feedback", "grades.csv", "grades.json", "junit.xml"]
    students = [row["student"] for row in csv.DictReader((batch.out / "grades.csv").open(encoding="utf-8-sig"))]
    assert students == sorted(batch.rows)


def test_no_process_outlives_the_batch(batch):
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, mounts = (folder / "cmdline").read_bytes(), (folder / "mountinfo").read_text()
        except OSError:
            continue
        stages = {Path(path) for path in re.findall(r" (/\S*/flipbook-grade-\w+)", mounts)}
        if b"987654" in command or any(not stage.exists() for stage in stages):  # a sandbox of a batch that has ended
            left.append(command)
    assert left == []


def test_reports_hold_whatever_was_said(batch):
    ElementTree.parse(batch.out / "junit.xml")
    for row in batch.rows.values():
        page = (batch.out / row["feedback"] / "feedback.html").read_text()
        assert "<script" not in page and "onerror=alert" not in page.replace("&lt;img src=x onerror=alert(1)&gt;", "")
        assert len(page) < 1 << 18
        json.loads((batch.out / row["feedback"] / "results.json").read_text())


def test_the_table_names_every_submission_once(batch):
    table = batch.result.stderr
    assert all(re.search(rf"(?m)^{name} ", table) for name in [*ATTACKS, *HONEST])
    assert f"{len(ATTACKS) + len(HONEST)} of {len(ATTACKS) + len(HONEST)} submissions graded" in table
