"""The build: everything committed follows from the sources, and a source that cannot be built says where and why."""

import copy
import json
import os

import nbformat
import pytest
from click.testing import CliRunner

from common.course.base.paths import CourseError, Lab
from common.course.building import build, execute
from common.course.building.lab_cells import draft_lab
from common.course.commands.build import build as command

SOURCE = """\
# %% [markdown]
# # A tiny lab

# %% tags=["setup"]
import os

# %% [markdown] about="double" difficulty=2 importance=3 minutes=5
# ## Twice
# Return twice the number.

# %% exercise="double"
def double(x):
    \"\"\"Twice `x`.\"\"\"
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% check="double"

# %% [markdown] hints="double"
# 1. What is twice three?
# 2. Multiply.
# 3. `2 * x`.

# %% tags=["demo"]
print(double(21), os.environ["FLIPBOOK_PRESET"], os.environ["OMP_NUM_THREADS"])
"""

GRADER = """\
import pytest


@pytest.mark.exercise("double", points=2)
@pytest.mark.parametrize("number", [-1, 1])
def test_double(lab, number):
    \"\"\"twice a number\"\"\"
    assert lab.double(number) == 2 * number


@pytest.mark.exercise("double")
def test_zero(lab):
    \"\"\"twice nothing is nothing\"\"\"
    assert lab.double(0) == 0
"""

TUTORIAL = """\
# %% [markdown]
# # A tutorial

# %%
print("six times seven")
"""


class Course:
    """A course with one lab, 01.2; `.target` builds it."""

    def __init__(self, root):
        self.root, self.lab = root, Lab("01_tiny", "02_numbers")
        self.write(self.lab.source, SOURCE)
        self.write(self.lab.tests, GRADER)

    @property
    def target(self):
        return build.targets(("01.2",))[0]

    def write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def change(self, old, new, path=None):
        path = path or self.lab.source
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))


def make_course(root, patch):
    patch.setenv("FLIPBOOK_ROOT", str(root))
    (root / "tests" / "labs").mkdir(parents=True)
    return Course(root)


def pretend_to_run(draft, flipbook, on_cell=None):
    """In place of a kernel, for tests that are about files: every cell has run and printed nothing."""
    notebook = nbformat.from_dict(draft.notebook(flipbook))
    for number, cell in enumerate(c for c in notebook.cells if c.cell_type == "code"):
        cell.execution_count = number + 1
    return notebook


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course whose notebooks are built without a kernel."""
    monkeypatch.setattr(build, "execute", pretend_to_run)
    return make_course(tmp_path, monkeypatch)


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
    assert build.build(target) == ["phases/01_tiny/01_first.ipynb"]
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


# ------------------------------------------------------------------------------------------ what is out of date


@pytest.mark.parametrize("target", ["solutions", "labs"])
def test_a_missing_notebook_is_named(course, target):
    build.build(course.target)
    course.lab.notebook(target).unlink()
    assert build.out_of_date(course.target)[0].startswith(f"{target}/01_tiny/02_numbers.ipynb is missing")


def test_a_changed_source_is_named(course):
    build.build(course.target)
    course.change("# Return twice the number.", "# Return twice the number, please.")
    message = build.out_of_date(course.target)[0]
    assert message.startswith("solutions/01_tiny/02_numbers.ipynb is older than solutions/01_tiny/02_numbers.py")


def test_a_changed_grader_is_named_though_no_cell_changes(course):
    build.build(course.target)
    course.change('"""twice nothing is nothing"""', '"""twice zero is zero"""', course.lab.tests)
    assert "another version of its source, its grader or the library" in build.out_of_date(course.target)[0]


def test_an_edited_lab_is_named_and_put_right(course):
    build.build(course.target)
    lab = course.lab.notebook("labs")
    before = lab.read_bytes()
    lab.write_text(lab.read_text().replace("YOUR CODE HERE", "your code here"))
    problem = "labs/01_tiny/02_numbers.ipynb is not what solutions/01_tiny/02_numbers.ipynb releases"
    assert build.out_of_date(course.target) == [problem]
    assert build.build(course.target) == ["labs/01_tiny/02_numbers.ipynb"]
    assert lab.read_bytes() == before


def test_a_solution_that_never_ran_is_named(course):
    build.build(course.target)
    path = course.lab.notebook("solutions")
    path.write_text(path.read_text().replace('"execution_count": 2', '"execution_count": null'))
    assert "never run" in build.out_of_date(course.target)[0]


def test_a_notebook_without_a_source_is_named(course):
    build.build(course.target)
    assert build.orphans() == []
    course.lab.source.rename(course.lab.source.with_name("03_other.py"))
    assert [message.split()[0] for message in build.orphans()] == [
        "solutions/01_tiny/02_numbers.ipynb",
        "labs/01_tiny/02_numbers.ipynb",
    ]


def test_the_hash_follows_the_library_all_the_way_down_and_no_further(course):
    """far.py is imported by near.py, near.py by the source; aside.py by neither"""
    library = course.root / "common"
    for name, text in (
        ("__init__", ""),
        ("near", "from common import far\n"),
        ("far", "VALUE = 1\n"),
        ("part", "def double(x):\n    return 2 * x\n"),
        ("aside", "VALUE = 1\n"),
    ):
        course.write(library / f"{name}.py", text)
    course.change("import os\n", "import os\nfrom common.near import far\n")
    hashes = [course.target.flipbook["source_hash"]]
    for name in ("near", "far", "__init__"):
        course.write(library / f"{name}.py", (library / f"{name}.py").read_text() + "\n# changed\n")
        hashes.append(course.target.flipbook["source_hash"])
    assert len(set(hashes)) == 4, "a changed module, its import or its package must change the hash"
    course.write(library / "aside.py", "VALUE = 2\n")
    assert course.target.flipbook["source_hash"] == hashes[-1]


def test_the_hash_counts_the_module_that_an_exercise_is_cut_from(course):
    course.write(course.root / "common" / "part.py", "def double(x):\n    return 2 * x\n")
    answer = SOURCE[SOURCE.index("def double") : SOURCE.index("# %% check=")]
    course.lab.source.write_text(
        SOURCE.replace(answer, "\n").replace('exercise="double"', 'exercise="double" from="common.part:double"')
    )
    before = course.target.flipbook["source_hash"]
    course.write(course.root / "common" / "part.py", "def double(x):\n    return x + x\n")
    assert course.target.flipbook["source_hash"] != before


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


# ------------------------------------------------------------------------------------------ the command


def test_the_command_builds_then_finds_nothing_to_do(course):
    runner = CliRunner()
    before = runner.invoke(command, ["--check"])
    assert before.exit_code == 1 and "solutions/01_tiny/02_numbers.ipynb is missing" in before.output
    done = runner.invoke(command, ["01.2"])
    assert done.exit_code == 0 and "wrote labs/01_tiny/02_numbers.ipynb" in done.output
    assert runner.invoke(command, ["--check"]).exit_code == 0
    assert "up to date" in runner.invoke(command, []).output


def test_one_failing_lab_does_not_stop_the_others(course):
    broken = Lab("01_tiny", "03_broken")
    course.write(broken.source, SOURCE.replace('# %% check="double"\n', ""))
    course.write(broken.tests, GRADER)
    done = CliRunner().invoke(command, [])
    assert isinstance(done.exception, CourseError)
    assert "03_broken.py:11: the exercise double has no cell" in str(done.exception)
    assert course.lab.notebook("labs").exists() and not broken.notebook("labs").exists()


def test_an_unknown_name_lists_the_known_ones(course):
    with pytest.raises(CourseError, match=r"nothing to build is called '09\.9'\. The sources here are: 01\.2\."):
        build.targets(("09.9",))


def test_inputs_ignore_outputs_and_nothing_else(course):
    notebook = pretend_to_run(course.target.draft, course.target.flipbook)
    other = copy.deepcopy(notebook)
    other.cells[-1].outputs = [nbformat.v4.new_output("stream", text="x")]
    assert build.inputs(other) == build.inputs(notebook)
    other.cells[-1].metadata["tags"] = []
    assert build.inputs(other) != build.inputs(notebook)


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
