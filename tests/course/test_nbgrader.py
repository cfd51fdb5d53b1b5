"""nbgrader itself, with its own database, can use `solutions/` as source and `labs/` as release, and gives our marks.

The course directory is a temporary one; what the instructor's guide tells to configure is what `course_config` sets.
"""

import json
import logging
import os
import shutil
import sys
from pathlib import Path

import pytest

from common.course.base import paths
from common.course.base.results import score
from common.course.checking import runner
from common.course.source import lab_source

LAB = lab_source.find_lab("01.2")
HALF_RIGHT = '''
def even_indices(total: int, num_frames: int) -> list[int]:
    """Right, but it lets every bad number through."""
    if num_frames == 1:
        return [0]
    return [round(k * (total - 1) / (num_frames - 1)) for k in range(num_frames)]
'''


def course_config(root):
    """What an nbgrader course needs to know; the rest of nbgrader's settings stay as they come."""
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.source_directory = "solutions"
    config.CourseDirectory.release_directory = "labs"
    config.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "*.py", "*.json"]
    return config


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def submissions():
    """student -> notebook: nothing done; everything right; one part right, one half right, the others not begun."""
    untouched, solution = read(LAB.notebook("labs")), read(LAB.notebook("solutions"))
    half = read(LAB.notebook("labs"))
    answers = {cell["id"]: cell["source"] for cell in solution["cells"]}
    for cell in half["cells"]:
        if cell["id"] == "motion-score":
            cell["source"] = answers["motion-score"]
        if cell["id"] == "even-indices":
            cell["source"] = HALF_RIGHT
    for notebook in (solution, half):  # a learner may delete what is only shown; it would cost this test its time
        notebook["cells"] = [c for c in notebook["cells"] if "demo" not in c["metadata"].get("tags", [])]
    return {"untouched": untouched, "right": solution, "half": half}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """An nbgrader course with this one lab, released and graded for three students."""
    from nbgrader.apps import NbGraderAPI

    root = tmp_path_factory.mktemp("nbgrader")
    shutil.copytree(LAB.source.parent, root / "solutions" / LAB.phase)
    log = logging.getLogger("nbgrader-test")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLIPBOOK_ROOT", str(paths.root()))
        patch.setenv("FLIPBOOK_PRESET", "ci")
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # nbgrader calls alembic by name
        patch.delenv("FLIPBOOK_STRICT", raising=False)
        api = NbGraderAPI(config=course_config(root))
        done = api.generate_assignment(LAB.phase)
        assert done["success"], done["log"]
        for student, notebook in submissions().items():
            path = root / "submitted" / student / LAB.phase / f"{LAB.stem}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(notebook))
            done = api.autograde(LAB.phase, student)
            assert done["success"], done["log"]
        yield root, api


def test_nbgrader_releases_the_lab_that_is_committed(course):
    """cell by cell the same: source, tags, ids, checksums"""
    root, _ = course
    released = read(root / "labs" / LAB.phase / f"{LAB.stem}.ipynb")["cells"]
    committed = read(LAB.notebook("labs"))["cells"]
    assert released == committed


def marks(api, student):
    """What nbgrader gave: exercise -> points."""
    with api.gradebook as gradebook:
        notebook = gradebook.find_submission_notebook(LAB.stem, LAB.phase, student)
        return {grade.cell.name.removeprefix("check_"): grade.score for grade in notebook.grades}


def our_marks(course, student):
    root, _ = course
    results = runner.run_tests(LAB, submission=root / "submitted" / student / LAB.phase / f"{LAB.stem}.ipynb")
    names = dict.fromkeys(r.exercise for r in results)
    return {name: score([r for r in results if r.exercise == name])[0] for name in names}


@pytest.mark.parametrize("student", ["untouched", "right", "half"])
def test_nbgrader_gives_the_marks_that_check_gives(course, student):
    assert marks(course[1], student) == our_marks(course, student)


def test_the_three_submissions_are_nothing_everything_and_something(course):
    api = course[1]
    total = {student: sum(marks(api, student).values()) for student in ("untouched", "half", "right")}
    with api.gradebook as gradebook:
        most = gradebook.find_notebook(LAB.stem, LAB.phase).max_score
    assert total["untouched"] == 0 < total["half"] < total["right"] == most
    half, right = marks(api, "half"), marks(api, "right")
    assert 0 < half["even_indices"] < right["even_indices"], "a half right answer earns part of its points"
