"""What is out of date: a build names each notebook that no longer follows from its source, and builds only those."""

import copy

import nbformat
import pytest
from click.testing import CliRunner

from common.course.base.paths import CourseError, Lab
from common.course.building import build
from common.course.commands.build import build as command
from tests.course.buildable_course import GRADER, SOURCE, make_course_without_kernel, pretend_to_run


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course whose notebooks are built without a kernel."""
    return make_course_without_kernel(tmp_path, monkeypatch)


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


def test_inputs_ignore_outputs_and_nothing_else(course):
    notebook = pretend_to_run(course.target.draft, course.target.flipbook)
    other = copy.deepcopy(notebook)
    other.cells[-1].outputs = [nbformat.v4.new_output("stream", text="x")]
    assert build.inputs(other) == build.inputs(notebook)
    other.cells[-1].metadata["tags"] = []
    assert build.inputs(other) != build.inputs(notebook)


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
