"""`flipbook new` writes a lab that builds, whose solution passes, whose starter fails, and whose bank is proven."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from common.course.base import paths
from common.course.base.paths import CourseError, Lab
from common.course.building import scaffold

README = "phases/10_scale_and_eval/README.md"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """The folders that a lab's files are written to, with the real syllabus and one phase's page."""
    root = tmp_path / "checkout"
    for name in ("phases/syllabus.toml", README):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(paths.root() / name, root / name)
    (root / "tests" / "labs").mkdir(parents=True)
    (root / "datasets").symlink_to(paths.root() / "datasets")
    monkeypatch.setenv("FLIPBOOK_ROOT", str(root))
    return root


def flipbook(root, *words) -> subprocess.CompletedProcess:
    environment = os.environ | {"FLIPBOOK_ROOT": str(root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-m", "common.course", *words]
    return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True)


def planned() -> Lab:
    """The last lab of the course that is still planned, of the phase whose page the checkout has."""
    from common.course.source import syllabus

    return [e.lab for phase in syllabus.read() for e in phase.labs if e.planned][-1]


def test_a_new_lab_builds_and_is_proven(checkout):
    lab = planned()
    lab_id, name = lab.id, lab.stem[3:]
    made = flipbook(checkout, "new", lab_id, name)
    assert made.returncode == 0, made.stderr
    built = flipbook(checkout, "build", lab_id)
    assert built.returncode == 0, built.stderr + built.stdout
    assert flipbook(checkout, "check", lab_id, "--target", "solutions").returncode == 0
    starter = flipbook(checkout, "check", lab_id, "--target", "labs")
    assert starter.returncode == 1 and "not written yet" in starter.stdout and "0 of" in starter.stdout
    proven = json.loads(flipbook(checkout, "mutants", lab_id, "--json").stdout)
    assert (proven["kill_rate"], proven["false_alarms"], proven["problems"]) == (1, 0, [])
    page = (checkout / README).read_text()
    assert f"`flipbook start {lab_id}`" in page
    syllabus = (checkout / "phases/syllabus.toml").read_text()
    [row] = [line for line in syllabus.splitlines() if f'"{lab.stem}"' in line]
    assert "planned" not in row


@pytest.mark.parametrize(
    "lab_id, name, why",
    [
        ("99.9", None, "no lab '99.9'"),
        ("01.2", None, "built already"),
        ("10.5", "marking", "plans lab 10.5 as 'watermarking', not 'marking': leave the name out"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(checkout, lab_id, name, why):
    with pytest.raises(CourseError, match=why):
        scaffold.create(lab_id, name)


def test_nothing_is_overwritten(checkout):
    lab = planned()
    source = checkout / "solutions" / lab.phase / f"{lab.stem}.py"
    source.parent.mkdir(parents=True)
    source.write_text("mine")
    with pytest.raises(CourseError, match="exists already"):
        scaffold.create(lab.id)
    assert source.read_text() == "mine"
