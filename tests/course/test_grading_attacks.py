"""Every attack in `hostile/`, handed in by a class with honest students: each gets its own verdict, no more, no less.

A file is the cell of exercise `double`. Its docstring says what must come of it: for each exercise the statuses of its
tests, and words that the instructor must find in the notes. `@ROOT@`, `@CLASS@`, `@OUT@` and `@PORT@` stand for the
course, the class's folder, the reports' folder and a server on this machine.
"""

import json
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from common.course import checking, paths

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
        for attack in ATTACKS:
            text = (HOSTILE / f"{attack}.py").read_text()
            for mark, value in marks.items():
                text = text.replace(mark, str(value))
            cell = text.split('"""', 2)[2]
            self.course.write(self.klass / attack / "homework.ipynb", {"double": cell})

    def grade(self):
        from common.course.commands.grade import grade

        options = ["--out", str(self.out), "--json", "--test-timeout", "1.5", "--memory", "1", "-j", "2"]
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
        if request.config.getoption("ci", default=False) or __import__("os").environ.get("CI"):
            pytest.fail("CI needs bubblewrap")
        pytest.skip("bubblewrap is not installed")
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
    for exercise, statuses in wanted["expect"].items():
        assert got[exercise] <= statuses, (exercise, [(t["status"], t["message"][:300]) for t in row["tests"]], row["notes"])
    assert wanted["note"] in " ".join(row["notes"])
    assert not any("LEAK" in test["message"] for test in row["tests"])
