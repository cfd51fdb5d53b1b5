"""Rules that hold for every lab and every notebook of the course. Nothing here executes a notebook."""

import ast
import json
import re

import pytest

from common.course.base import paths
from common.course.building import build
from common.course.building.execute import MAX_BYTES, WIDGET
from common.course.building.lab_cells import draft_lab
from common.course.checking import runner
from common.course.source import grader_marks, lab_source

TARGETS = build.targets()
LABS = paths.all_labs()
BUILT = [p for folder in ("labs", "solutions", "phases") for p in sorted(paths.root().glob(f"{folder}/*/*.ipynb"))]


def named(path):
    return path.relative_to(paths.root()).as_posix()


def notebook(path):
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(path):
    return [cell for cell in notebook(path)["cells"] if cell["cell_type"] == "code"]


def test_every_source_of_a_lab_has_its_grader():
    assert {target.lab for target in TARGETS if target.lab} == set(LABS)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_is_committed_follows_from_the_sources(target):
    """solutions were run from this source, grader and library; labs are what they release, byte for byte"""
    assert build.out_of_date(target) == [], "run `flipbook build` and commit what it writes"


def test_no_built_notebook_has_lost_its_source():
    assert build.orphans() == []


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_a_lab_has_three_to_six_exercises(lab):
    """a page of items, such as the diagnostic, has more: each is a few lines, and has an id of its own"""
    least, most = (7, 12) if lab_source.item_ids(lab) else (3, 6)
    number = len(lab_source.exercises(lab))
    assert least <= number <= most, f"lab {lab.id} has {number} exercises, and {least} to {most} are one idea's worth"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_points_agree_in_grader_pytest_and_notebooks(lab):
    """read from the grader's text, collected by pytest, and written in both notebooks: the same"""
    collected = {}
    for result in runner.expected_tests(lab):
        collected[result.exercise] = collected.get(result.exercise, 0) + result.points
    assert grader_marks.points(lab) == collected
    for target in ("solutions", "labs"):
        marks = [cell["metadata"].get("nbgrader", {}) for cell in code_cells(lab.notebook(target))]
        written = {m["grade_id"].removeprefix("check_"): m["points"] for m in marks if m.get("grade")}
        assert written == collected, target


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_every_starter_raises_not_implemented(lab):
    """each exercise of the lab has its stub, and nothing of the body that answers it"""
    answers = {cell["id"]: cell["source"] for cell in draft_lab(lab).cells}
    for cell in code_cells(lab.notebook("labs")):
        name = cell["metadata"].get("flipbook", {}).get("exercise")
        if name:
            text = "".join(cell["source"])
            stubs = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Raise)]
            assert "NotImplementedError()" in [ast.unparse(stub.exc) for stub in stubs if stub.exc], name
            whole, inside = [], False
            for line in answers[cell["id"]].splitlines():
                inside = (inside or "BEGIN SOLUTION" in line) and "END SOLUTION" not in line
                whole += [line.strip()] if inside and "SOLUTION" not in line and len(line.strip()) > 20 else []
            assert [line for line in whole if line in text] == [], f"{name}: lines of the answer are in the lab"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_an_untouched_lab_scores_nothing_and_says_not_written_yet(lab):
    results = runner.run_tests(lab, submission=lab.notebook("labs"))
    assert results and {r.status for r in results} <= {"todo", "blocked"}
    assert sum(r.earned for r in results) == 0


@pytest.mark.parametrize("path", BUILT, ids=named)
def test_a_stored_notebook_is_small_and_clean(path):
    whole = notebook(path)
    assert path.stat().st_size <= MAX_BYTES
    assert set(whole["metadata"]) == {"flipbook", "kernelspec", "language_info"}, "no widgets, no trace of the kernel"
    for cell in code_cells(path):
        assert "execution" not in cell["metadata"]
        for output in cell["outputs"]:
            assert output["output_type"] != "error", cell["id"]
            assert output.get("name") != "stderr", f"{cell['id']} writes to stderr"
            assert WIDGET not in output.get("data", {}), f"{cell['id']} stores a widget"


@pytest.mark.parametrize("path", [p for p in BUILT if p.parts[-3] == "labs"], ids=named)
def test_a_lab_stores_no_outputs(path):
    for cell in code_cells(path):
        assert cell["outputs"] == [] and cell["execution_count"] is None


@pytest.mark.parametrize("path", BUILT, ids=named)
def test_cell_ids_and_graded_names_are_unique(path):
    cells = notebook(path)["cells"]
    ids = [cell["id"] for cell in cells]
    graded = [cell["metadata"]["nbgrader"]["grade_id"] for cell in cells if "nbgrader" in cell["metadata"]]
    assert len(set(ids)) == len(ids) and len(set(graded)) == len(graded)


@pytest.mark.parametrize("path", BUILT, ids=named)
def test_no_page_speaks_to_a_formatter(path):
    """what is said to ruff stays in the source"""
    lines = [line for cell in code_cells(path) for line in "".join(cell["source"]).splitlines()]
    assert [line for line in lines if re.search(r"#\s*(fmt:|noqa|type:\s*ignore|ruff:)", line)] == []


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_the_setup_of_a_lab_loads_no_weights(lab):
    """it runs before every check and in every trial of a bank; a cell that needs a model loads it"""
    setup = [cell for cell in code_cells(lab.notebook("solutions")) if "setup" in cell["metadata"].get("tags", ())]
    assert setup and not [cell for cell in setup if ".from_pretrained(" in "".join(cell["source"])]


@pytest.mark.parametrize("lab", [lab for lab in LABS if not lab.id.endswith(".0")], ids=lambda lab: lab.id)
def test_the_result_of_a_lab_moves(lab):
    """a video course: each lab has a player, and each looping WebP is at most 60 KB"""
    stored = [o.get("data", {}) for cell in code_cells(lab.notebook("solutions")) for o in cell["outputs"]]
    loops = re.findall(r"data:image/webp;base64,([A-Za-z0-9+/=]+)", json.dumps(stored))
    assert loops and max(len(loop) * 3 // 4 for loop in loops) <= 60_000
