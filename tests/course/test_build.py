"""The build: everything committed follows from the sources, and a source that cannot be built says where and why."""

import json
import os

import nbformat
import pytest

from common.course.base.paths import CourseError
from common.course.building import build, execute
from common.course.building.lab_cells import draft_lab
from tests.course.buildable_course import SOURCE, make_course, make_course_without_kernel, pretend_to_run

TUTORIAL = """\
# %% [markdown]
# # A tutorial

# %%
print("six times seven")
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course whose notebooks are built without a kernel."""
    return make_course_without_kernel(tmp_path, monkeypatch)


@pytest.fixture
def live_course(tmp_path, monkeypatch):
    """A course whose notebooks really run. Its checks are cut out: what they show is not the build's business."""
    course = make_course(tmp_path, monkeypatch)
    course.change("import os\n", "import os\n\n\ndef check(lab, exercise):\n    return None\n")
    return course


# ------------------------------------------------------------------------------------------ what is built


def test_a_build_runs_the_solution_small_and_on_one_thread(live_course):
    build.build(live_course.target)
    notebook = json.loads(live_course.lab.notebook("solutions").read_text())
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert [output["text"] for output in outputs] == [["42 ci 1\n"]]
    assert [c["execution_count"] for c in notebook["cells"] if c["cell_type"] == "code"] == [1, 2, 3, 4]
    assert notebook["metadata"]["language_info"] == {"name": "python"}, "the kernel's own version must not be stored"
    nbformat.validate(notebook)


def test_a_tutorial_is_run_and_releases_nothing(tmp_path, monkeypatch):
    course = make_course(tmp_path, monkeypatch)
    path = tmp_path / "phases" / "01_tiny" / "01_first.py"
    course.write(path, TUTORIAL)
    target = build.targets(("phases/01_tiny/01_first.py",))[0]
    assert build.build(target) == ["phases/01_tiny/01_first.ipynb", "phases/01_tiny/01_first.seconds.json"]
    cells = json.loads(path.with_suffix(".ipynb").read_text())["cells"]
    assert cells[1]["outputs"][0]["text"] == ["six times seven\n"] and "nbgrader" not in cells[1]["metadata"]
    assert build.out_of_date(target) == [] and not (tmp_path / "labs").exists()
    course.write(path, TUTORIAL + '\n# %% [markdown] answer="x" points=1\n# BEGIN SOLUTION END SOLUTION\n')
    with pytest.raises(CourseError, match=r"01_first\.py:7: answer= belongs in a lab"):
        build.out_of_date(build.targets(("01_tiny/01_first",))[0])


def test_the_lab_is_the_solution_without_answers_and_outputs(course):
    build.build(course.target)
    solution, lab = (json.loads(course.lab.notebook(t).read_text())["cells"] for t in ("solutions", "labs"))
    assert [c["id"] for c in solution] == [c["id"] for c in lab]
    by_id = {c["id"]: c for c in lab}
    stub = "".join(by_id["double"]["source"])
    assert stub == 'def double(x):\n    """Twice `x`."""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
    changed = [a["id"] for a, b in zip(solution, lab) if a["source"] != b["source"]]
    assert changed == ["double"]
    assert not any(c.get("outputs") or c.get("execution_count") for c in lab)


def test_cells_carry_what_the_machine_reads(course):
    build.build(course.target)
    cells = {c["id"]: c for c in json.loads(course.lab.notebook("labs").read_text())["cells"]}
    assert cells["setup"]["metadata"]["tags"] == ["setup"]
    assert cells["double"]["metadata"]["tags"] == ["exercise"]
    assert cells["double"]["metadata"]["flipbook"] == {"exercise": "double"}
    check = cells["check-double"]
    assert check["source"] == ['check("01.2", "double")']
    assert check["metadata"]["tags"] == ["check", "nbval-check-output"]
    assert check["metadata"]["nbgrader"]["grade_id"] == "check_double" and check["metadata"]["nbgrader"]["points"] == 5
    header = "".join(cells["about-double"]["source"]).split("\n\n")
    assert header[:2] == [
        "## Twice",
        "**Exercise 1 of 1** · difficulty ●●○○○ · importance ●●●○○ · about 5 minutes",
    ]
    assert "".join(cells["hints-double"]["source"]).count("<details>") == 3


def test_an_answer_in_words_is_graded_by_hand_and_its_solution_leaves(course):
    why = '\n# %% [markdown] answer="why" points=2\n# Why?\n#\n# ### BEGIN SOLUTION\n# Because.\n# ### END SOLUTION\n'
    course.lab.source.write_text(SOURCE + why)
    build.build(course.target)
    cell = json.loads(course.lab.notebook("labs").read_text())["cells"][-1]
    assert "".join(cell["source"]) == "Why?\n\nYOUR ANSWER HERE"
    assert cell["metadata"]["nbgrader"]["grade"] and cell["metadata"]["nbgrader"]["points"] == 2


def test_building_again_gives_the_same_bytes(course):
    """nothing random, nothing of the run: ids, order and metadata are derived"""
    build.build(course.target)
    first = {t: course.lab.notebook(t).read_bytes() for t in ("solutions", "labs")}
    assert build.build(course.target) == []
    build.build(course.target, force=True)
    assert {t: course.lab.notebook(t).read_bytes() for t in first} == first


def test_what_only_draws_is_folded_under_its_caption_and_usual_mistakes_behind_what_one_sees(course):
    course.change(
        '# %% check="double"\n',
        '# %% check="double"\n\n# %% tags=["demo"] draws="Twice of everything."\nprint(double(2))\n\n'
        '# %% [markdown] troubles="double"\n# - **It is always even.** Twice a whole\n#   number is.\n'
        "# - **And negative?** So is it.\n\n"
        '# %% [markdown] tags=["folded"]\n# ## Going further\n# More.\n',
    )
    cells = {cell["id"]: cell for cell in draft_lab(course.target.lab).cells}
    drawn = next(cell for cell in cells.values() if cell["source"] == "print(double(2))")
    before = list(cells.values())[list(cells.values()).index(drawn) - 1]
    assert drawn["metadata"]["jupyter"] == {"source_hidden": True}
    assert before["source"] == "▸ *Twice of everything.*" and before["cell_type"] == "markdown"
    folds = cells["troubles-double"]["source"]
    assert (
        "<summary>It is always even</summary>\n\nTwice a whole\nnumber is." in folds and folds.count("<details>") == 2
    )
    further = next(cell for cell in cells.values() if cell["source"].startswith("## Going further"))
    assert further["metadata"]["jp-MarkdownHeadingCollapsed"] is True
    ids = list(cells)
    assert ids.index("owed") == ids.index("about-double") - 1
    assert "docstring is the contract" in cells["owed"]["source"]


# ------------------------------------------------------------------------------------------ what goes wrong


def failure(course):
    with pytest.raises(CourseError) as caught:
        build.build(course.target)
    assert not course.lab.notebook("solutions").exists(), "a failed build must write nothing"
    return str(caught.value)


def test_a_failing_cell_is_named_with_the_line_that_failed(live_course):
    """the demo cell calls `double`, and the line that raises is in the exercise's cell"""
    live_course.change("    return 2 * x", "    return 2 / (x - 21)")
    message = failure(live_course)
    assert "01.2: cell 8 (print(double(21)" in message and "ZeroDivisionError: division by zero" in message
    line = 1 + live_course.lab.source.read_text().splitlines().index("    return 2 / (x - 21)")
    assert message.endswith(f"solutions/01_tiny/02_numbers.py:{line}")


def test_a_failing_library_part_is_named_by_its_line_in_the_library(course):
    """line 4 of the cell is line 5 of the module: the solution marker is no line of the library"""
    course.write(course.root / "common" / "part.py", 'def double(x):\n    """Twice."""\n    y = 2\n    return y * x\n')
    answer = SOURCE[SOURCE.index("def double") : SOURCE.index("# %% check=")]
    course.lab.source.write_text(
        SOURCE.replace(answer, "\n").replace('exercise="double"', 'exercise="double" from="common.part:double"')
    )
    draft = course.target.draft
    index = [cell["id"] for cell in draft.cells].index("double")
    lines = draft.cells[index]["source"].splitlines()
    assert draft.places[index](1 + lines.index("    return y * x")) == "common/part.py:4"


def test_a_path_of_this_machine_is_refused(live_course):
    live_course.change('print(double(21), os.environ["FLIPBOOK_PRESET"]', "print(os.getcwd()")
    assert "prints a path of this machine" in failure(live_course)


def test_a_cell_that_runs_too_long_is_stopped(live_course, monkeypatch):
    monkeypatch.setattr(execute, "CELL_TIMEOUT", 1)
    live_course.change("print(double(21)", "while True: pass\nprint(double(21)")
    assert "it ran for more than 1 seconds" in failure(live_course)


def test_widgets_and_timing_do_not_reach_the_notebook(course):
    draft = course.target.draft
    notebook = pretend_to_run(draft, course.target.flipbook)
    cell = notebook.cells[-1]
    cell.metadata["execution"] = {"iopub.execute_input": "today"}
    widget = {"output_type": "display_data", "data": {execute.WIDGET: {}, "text/plain": "IntSlider()"}, "metadata": {}}
    kept = {"output_type": "stream", "name": "stdout", "text": "kept"}
    cell.outputs = nbformat.from_dict([widget, kept])
    execute.clean(draft, notebook)
    assert cell.outputs == [kept] and "execution" not in cell.metadata


def test_a_notebook_that_is_too_large_is_refused(course, monkeypatch):
    def heavy(draft, flipbook, on_cell=None):
        notebook = pretend_to_run(draft, flipbook)
        text = nbformat.v4.new_output("stream", name="stdout", text="x" * 600_000)
        notebook.cells[-1].outputs = [text]
        return notebook

    monkeypatch.setattr(build, "execute", heavy)
    assert "Show smaller or fewer pictures" in failure(course)


def test_a_write_that_breaks_off_leaves_the_old_file_whole(course, monkeypatch):
    build.build(course.target)
    path = course.lab.notebook("solutions")
    before = path.read_bytes()

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        build.build(course.target, force=True)
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir() if "partial" in p.name] == []
