"""The learner's copies: starting and updating keep what someone typed; hints and answers come when they are due."""

import copy
import json

import pytest
from click.testing import CliRunner

from common.course.base import cells, paths
from common.course.base.results import Result
from common.course.commands import workspace as commands
from common.course.learner import carryover, guidance, progress, workspace
from tests.course.learner_copies import ANSWER, answer, backups, edit, newer, release_notebook, sources, write_release

# ------------------------------------------------------------------------------------------ starting and updating


def test_starting_again_changes_nothing(started):
    before = edit(started, answer)
    for update in (False, True):
        assert workspace.start(started.lab, update).state == "same"
    assert started.lab.notebook("work").read_bytes() == before
    assert backups(started) == []


def test_an_untouched_copy_becomes_the_new_release(started):
    write_release(started, newer)
    found = workspace.start(started.lab)
    assert (found.state, found.backup) == ("refreshed", None)
    assert sources(started)[0] == "A new introduction."
    assert workspace.start(started.lab).state == "same"


def test_a_copy_that_was_only_run_is_refreshed_and_its_outputs_are_kept_in_a_backup(started):
    def run(notebook):
        printed = {"output_type": "stream", "name": "stdout", "text": "7"}
        notebook["cells"][1].update(execution_count=1, outputs=[printed])

    before = edit(started, run)
    write_release(started, newer)
    found = workspace.start(started.lab)
    assert found.state == "refreshed"
    assert found.backup.read_bytes() == before


def test_a_copy_that_was_worked_in_is_left_alone_until_asked(started):
    before = edit(started, answer)
    write_release(started, newer)
    assert workspace.start(started.lab).state == "outdated"
    assert started.lab.notebook("work").read_bytes() == before


def test_update_carries_answers_own_cells_and_edits_over(started):
    def work(notebook):
        answer(notebook)
        cells.set_source(notebook["cells"][1], "import math\nKNOB = 3")
        own = started.code_cell("print(double(4))")
        notebook["cells"].insert(4, {**own, "id": "own-1"})

    before = edit(started, work)
    write_release(started, newer)
    found = workspace.start(started.lab, update=True)
    assert found.state == "updated"
    assert found.backup.read_bytes() == before
    assert (found.report.carried, found.report.own_cells, found.report.edited) == (["double"], 1, 1)
    now = sources(started)
    assert now[0] == "A new introduction."
    assert now[1] == "import math\nKNOB = 3"
    assert now[2] == ANSWER
    assert now[4] == "print(double(4))"
    assert "new docstring" in cells.source(cells.find_exercise(cells.read(started.lab.notebook("work")), "greeting"))
    assert workspace.start(started.lab).state == "same"


def test_update_twice_is_update_once(started):
    edit(started, answer)
    write_release(started, newer)
    workspace.start(started.lab, update=True)
    once = sources(started)
    write_release(started, lambda notebook: (newer(notebook), notebook["cells"].pop()))
    workspace.start(started.lab, update=True)
    assert sources(started) == once[:-1]


def test_a_cell_changed_on_both_sides_takes_the_courses_text_and_says_so(started):
    edit(started, lambda notebook: cells.set_source(notebook["cells"][0], "My notes."))
    write_release(started, newer)
    found = workspace.start(started.lab, update=True)
    assert found.report.superseded == 1
    assert sources(started)[0] == "A new introduction."
    assert "My notes." in found.backup.read_text(encoding="utf-8")


def test_an_answer_to_an_exercise_that_is_gone_stays_as_a_cell_of_its_own(started):
    edit(started, answer)

    def without_double(notebook):
        notebook["cells"] = [c for c in notebook["cells"] if "double" not in cells.flipbook(c).values()]

    write_release(started, without_double)
    found = workspace.start(started.lab, update=True)
    assert found.report.orphaned == ["double"]
    kept = [cell for cell in cells.read(started.lab.notebook("work"))["cells"] if cells.source(cell) == ANSWER]
    assert len(kept) == 1
    assert cells.flipbook(kept[0]) == {}


@pytest.mark.parametrize("stripped", ["metadata", "id", "both"])
def test_answers_are_found_in_a_notebook_whose_editor_dropped_what_the_build_noted(started, stripped):
    def strip(notebook):
        answer(notebook)
        for number, cell in enumerate(notebook["cells"]):
            if stripped != "id":
                cell["metadata"] = {}
            if stripped != "metadata":
                cell["id"] = f"other-{number}"

    edit(started, strip)
    write_release(started, newer)
    found = workspace.start(started.lab, update=True)
    assert found.report.carried == ["double"]
    assert found.report.own_cells == 0
    assert sources(started)[2] == ANSWER


def test_a_duplicated_answer_loses_neither_copy(started):
    def work(notebook):
        answer(notebook, "def double(x):\n    return 1  # first try")
        second = copy.deepcopy(cells.find_exercise(notebook, "double"))
        second["id"] = "second"
        cells.set_source(second, ANSWER)
        notebook["cells"].insert(3, second)

    edit(started, work)
    write_release(started, newer)
    workspace.start(started.lab, update=True)
    now = sources(started)
    first = now.index("def double(x):\n    return 1  # first try")
    assert now[first + 1] == ANSWER, "the later definition must still come later: it is the one that counts"


def test_without_a_known_release_answers_come_over_and_old_texts_do_not(started):
    edit(started, lambda notebook: (answer(notebook), cells.set_source(notebook["cells"][0], "An old introduction.")))
    workspace.base_of(started.lab.notebook("work")).unlink()
    write_release(started, newer)
    assert workspace.start(started.lab).state == "outdated"
    workspace.start(started.lab, update=True)
    now = sources(started)
    assert now[0] == "A new introduction."
    assert ANSWER in now


def test_a_copy_put_there_by_hand_is_recognised(mini_course):
    write_release(mini_course)
    path = mini_course.lab.notebook("work")
    path.parent.mkdir(parents=True)
    path.write_bytes(mini_course.lab.notebook("labs").read_bytes())
    cells.write(path, workspace.copy_of(mini_course.lab.notebook("labs"), path))
    assert workspace.start(mini_course.lab).state == "same"
    write_release(mini_course, newer)
    assert workspace.start(mini_course.lab).state == "refreshed"


def test_merge_does_not_change_its_inputs(started):
    base, mine, release = release_notebook(started), release_notebook(started), release_notebook(started)
    answer(mine)
    newer(release)
    before = copy.deepcopy((base, mine, release))
    carryover.merge(base, mine, release)
    assert (base, mine, release) == before


# ------------------------------------------------------------------------------------------ what a copy holds


def test_links_lead_to_the_learners_copies_and_code_is_left_alone(mini_course):
    tutorial = mini_course.root / "phases" / "01_tiny" / "01_words.ipynb"
    tutorial.parent.mkdir(parents=True)
    page = {"cell_type": "markdown", "metadata": {}, "source": "# Words\n[lab](../../labs/01_tiny/01_numbers.ipynb)"}
    tutorial.write_text(json.dumps({"cells": [page], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))

    def code(notebook):
        notebook["cells"].append(mini_course.code_cell("f = [print][0](len)  # see [x](../../phases/01_tiny)"))

    written = write_release(mini_course, code)
    workspace.start(mini_course.lab)
    copied = workspace.start_tutorial(tutorial).notebook
    assert copied == mini_course.root / "work" / "01_tiny" / "tutorials" / "01_words.ipynb"
    now = sources(mini_course)
    assert now[0] == "Read [the tutorial](tutorials/01_words.ipynb#why) and `a[i](x)`."
    assert now[1:] == [cells.source(cell) for cell in written["cells"]][1:]
    assert "[lab](../01_numbers.ipynb)" in cells.source(cells.read(copied)["cells"][0])


def test_a_copy_describes_its_kernel_as_the_kernel_does(started):
    """Else JupyterLab rewrites the description on opening, and a lab that no one touched asks to be saved."""
    from ipykernel.ipkernel import IPythonKernel
    from jupyter_client.kernelspec import KernelSpecManager

    described = cells.read(started.lab.notebook("work"))["metadata"]
    spec = KernelSpecManager().get_kernel_spec("python3")
    assert described["kernelspec"] == {"display_name": spec.display_name, "language": spec.language, "name": "python3"}
    assert described["language_info"] == IPythonKernel.language_info


# ------------------------------------------------------------------------------------------ hints and answers


def test_hints_come_one_by_one_and_stay_at_the_last(mini_course):
    numbers = [guidance.next_hints(mini_course.lab, "double")[0][0][0] for _ in range(5)]
    assert numbers == [1, 2, 3, 3, 3]
    shown, total = guidance.next_hints(mini_course.lab, "greeting", everything=True)
    assert [text for _, text in shown] == ["Say hello.", "Use the name.", "An f-string."]
    assert total == 3


def test_the_answer_is_shown_after_passing_or_giving_up(mini_course):
    with pytest.raises(paths.CourseError, match="--give-up"):
        guidance.solution(mini_course.lab, "double")
    progress.record(mini_course.lab, [Result("t", "t", "double", status="pass")])
    assert "return 2 * x" in guidance.solution(mini_course.lab, "double")
    assert "gave_up" not in progress.load()["labs"]["01.1"]["exercises"]["double"]
    assert "Hello" in guidance.solution(mini_course.lab, "greeting", give_up=True)
    assert progress.load()["labs"]["01.1"]["exercises"]["greeting"]["gave_up"]
    assert "Hello" in guidance.solution(mini_course.lab, "greeting"), "once given up, it stays readable"


def test_the_answer_is_printed_without_the_builds_markers(mini_course):
    marked = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    mini_course.write("solutions", {"double": marked})
    assert guidance.solution(mini_course.lab, "double", give_up=True) == "def double(x):\n    return 2 * x\n"


# ------------------------------------------------------------------------------------------ the commands


@pytest.mark.parametrize(
    "command, arguments, says",
    [
        (commands.start, ["1.1"], "work/01_tiny/01_numbers.ipynb"),
        (commands.reset, ["01.1", "2"], "work/backups/01_tiny/01_numbers."),
        (commands.hint, ["01.1", "1"], "Hint 1 of 3 for double:\n\nWhat is twice three?"),
        (commands.solution, ["01.1", "double", "--give-up"], "return 2 * x"),
    ],
)
def test_each_command_says_what_it_did_and_where(started, command, arguments, says):
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert says in done.output
