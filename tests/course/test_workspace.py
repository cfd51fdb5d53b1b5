"""The learner's copies: whatever happens, what someone typed is still there afterwards."""

import copy
import errno
import json
import os

import pytest
from click.testing import CliRunner

from common.course.__main__ import main
from common.course.base import cells, paths
from common.course.base.results import Result
from common.course.commands import workspace as commands
from common.course.learner import carryover, guidance, progress, workspace

ANSWER = "def double(x):\n    return x + x  # mine"


@pytest.fixture
def started(mini_course):
    """The tiny lab as a release with ids, nbgrader's metadata and a link, and a copy of it in work/."""
    write_release(mini_course)
    workspace.start(mini_course.lab)
    return mini_course


def release_notebook(course) -> dict:
    notebook = course.make_notebook({name: course.stub(name) for name in course.answers})
    text = "Read [the tutorial](../../phases/01_tiny/01_words.ipynb#why) and `a[i](x)`."
    notebook["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": [text]})
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"cell-{number}"
        if "check" in cells.flipbook(cell):
            cell["metadata"]["nbgrader"] = {"grade_id": "check_" + cells.flipbook(cell)["check"], "points": 2}
    return notebook


def write_release(course, change=None, like=""):
    notebook = release_notebook(course)
    if change:
        change(notebook)
    course.lab.notebook("labs").write_text(cells.dumps(notebook, like=like), encoding="utf-8")
    return notebook


def edit(course, change):
    """Change the learner's copy as an editor would; returns the bytes it then holds."""
    path = course.lab.notebook("work")
    notebook = cells.read(path)
    change(notebook)
    path.write_text(cells.dumps(notebook), encoding="utf-8")
    return path.read_bytes()


def answer(notebook, text=ANSWER, name="double"):
    cells.set_source(cells.find_exercise(notebook, name), text)


def sources(course, target="work"):
    return [cells.source(cell) for cell in cells.read(course.lab.notebook(target))["cells"]]


def backups(course):
    return sorted((course.root / "work" / "backups").rglob("*.ipynb"))


def newer(notebook):
    """A release in which the introduction and a stub changed."""
    cells.set_source(notebook["cells"][0], "A new introduction.")
    stub = 'def greeting(name):\n    """Now with a new docstring."""\n    raise NotImplementedError'
    answer(notebook, stub, "greeting")


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


@pytest.mark.parametrize("damage", [b"{broken", b"\xff\xfe\x00", b'{"nbformat": 3}', b""])
def test_a_damaged_copy_is_never_overwritten_and_reset_keeps_it(started, damage):
    path = started.lab.notebook("work")
    path.write_bytes(damage)
    write_release(started, newer)
    for update in (False, True):
        assert workspace.start(started.lab, update).state == "unreadable"
    assert path.read_bytes() == damage
    assert workspace.reset(started.lab).read_bytes() == damage
    assert sources(started)[0] == "A new introduction."


def test_reset_of_one_exercise_changes_that_cell_alone(started):
    before = edit(started, lambda n: (answer(n), answer(n, "def greeting(name):\n    return name", "greeting")))
    saved = workspace.reset(started.lab, "double")
    assert saved.read_bytes() == before
    old, new = json.loads(before)["cells"], cells.read(started.lab.notebook("work"))["cells"]
    changed = [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    assert changed == [2]
    assert cells.source(new[2]) == started.stub("double")


def test_reset_brings_a_deleted_exercise_back_to_its_place(started):
    edit(started, lambda notebook: notebook["cells"].remove(cells.find_exercise(notebook, "quadruple")))
    workspace.reset(started.lab, "2")
    assert sources(started) == [cells.source(c) for c in json.loads(_release_in_work(started))["cells"]]


def _release_in_work(course) -> str:
    return workspace.copy_of(course.lab.notebook("labs"), course.lab.notebook("work"))


def test_backups_of_one_second_do_not_overwrite_each_other(started):
    texts = []
    for number in range(4):
        texts.append(edit(started, lambda n, number=number: answer(n, f"def double(x): return {number}")))
        workspace.reset(started.lab, "double")
    assert sorted(path.read_bytes() for path in backups(started)) == sorted(texts)


def test_reset_takes_the_exercise_off_the_progress_but_not_its_history(started):
    for name in ("double", "greeting"):
        progress.record(started.lab, [Result("t", "t", name, status="pass")])
    workspace.reset(started.lab, "double")
    known = progress.load()["labs"]["01.1"]["exercises"]
    assert (known["double"]["status"], known["double"]["earned"], bool(known["double"]["passed"])) == ("todo", 0, True)
    assert known["greeting"]["status"] == "pass"


@pytest.mark.parametrize("name, says", [("trouble", "double, quadruple, greeting"), ("4", "no exercise '4'")])
def test_an_unknown_exercise_is_answered_with_the_list_and_changes_nothing(started, name, says):
    before = started.lab.notebook("work").read_bytes()
    with pytest.raises(paths.CourseError, match=says):
        workspace.reset(started.lab, name)
    assert started.lab.notebook("work").read_bytes() == before
    assert backups(started) == []


@pytest.mark.parametrize("indent", [1, 2, 4])
@pytest.mark.parametrize("ending", ["", "\n"])
def test_the_files_own_format_is_kept(started, indent, ending):
    path = started.lab.notebook("work")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"]["Grüße"] = "日本"
    path.write_text(json.dumps(notebook, indent=indent, ensure_ascii=False) + ending, encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    workspace.reset(started.lab, "double")
    assert path.read_text(encoding="utf-8") == before


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


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("moment", [1, 2, 3])
def test_a_disk_that_refuses_ends_in_a_sentence_and_loses_nothing(started, monkeypatch, moment, code):
    """The backup, the notebook or the release that is kept: whichever write fails, no work is lost, and none is half.

    Until the notebook is replaced, there is no backup; from then on there is a whole one.
    """
    before = edit(started, answer)
    replace, calls = os.replace, []

    def refusing(*names):
        calls.append(names)
        if len(calls) >= moment:
            raise OSError(code, os.strerror(code), str(names[0]))
        replace(*names)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refusing)
        ran = CliRunner().invoke(main, ["reset", "01.1"])
    assert ran.exit_code == 2 and len(ran.output.strip().splitlines()) == 1
    assert ("The disk is full" if code == errno.ENOSPC else "cannot be written") in ran.output
    kept = [path.read_bytes() for path in backups(started)]
    assert kept == ([before] if moment == 3 else [])
    assert (started.lab.notebook("work").read_bytes() == before) == (moment < 3)
    assert not list((started.root / "work").rglob("*.partial"))
    workspace.reset(started.lab)
    assert workspace.start(started.lab).state == "same"


def odd(change):
    """The tiny lab's notebook after `change(notebook)`, as text."""
    return lambda text: json.dumps(change(json.loads(text)))


@pytest.mark.parametrize(
    "harm",
    [
        odd(lambda notebook: notebook | {"cells": [3]}),
        odd(lambda notebook: notebook | {"cells": [{"cell_type": "code", "source": 7}]}),
        odd(lambda notebook: notebook | {"cells": [{"cell_type": "code", "source": ["a", None]}]}),
        odd(lambda notebook: notebook | {"cells": [{"cell_type": "code", "metadata": [], "source": ""}]}),
        odd(lambda notebook: notebook | {"cells": [{"cell_type": "code", "id": {}, "source": ""}]}),
        odd(lambda notebook: notebook | {"cells": [{"metadata": {"flipbook": {"exercise": []}}, "source": ""}]}),
        odd(lambda notebook: {"worksheets": []}),
        lambda text: "[" * 100_000,
        lambda text: text[: len(text) // 2],
    ],
)
def test_an_odd_notebook_is_left_alone_in_a_sentence(started, harm):
    """JSON of another shape is no notebook: `start` and `reset` of an exercise say so, `reset` of the lab mends it."""
    notebook = started.lab.notebook("work")
    notebook.write_text(harm(notebook.read_text()))
    before = notebook.read_bytes()
    ran = CliRunner().invoke(main, ["start", "01.1"])
    assert ran.exit_code == 1 and "cannot be read as a notebook" in ran.output
    ran = CliRunner().invoke(main, ["reset", "01.1", "double"])
    assert ran.exit_code == 2 and "not a" in ran.output and len(ran.output.strip().splitlines()) == 1
    assert notebook.read_bytes() == before and backups(started) == []
    workspace.reset(started.lab)
    assert [path.read_bytes() for path in backups(started)] == [before]
    assert workspace.start(started.lab).state == "same"


def test_merge_does_not_change_its_inputs(started):
    base, mine, release = release_notebook(started), release_notebook(started), release_notebook(started)
    answer(mine)
    newer(release)
    before = copy.deepcopy((base, mine, release))
    carryover.merge(base, mine, release)
    assert (base, mine, release) == before


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
