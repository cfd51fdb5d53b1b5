"""Resetting, damaged copies and full disks: whatever happens, what someone typed is still there afterwards."""

import errno
import json
import os

import pytest
from click.testing import CliRunner

from common.course.__main__ import main
from common.course.base import cells, paths
from common.course.base.results import Result
from common.course.learner import progress, workspace
from tests.course.learner_copies import answer, backups, edit, newer, sources, write_release

# ------------------------------------------------------------------------------------------ resetting


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


# ------------------------------------------------------------------------------------------ damaged copies, full disks


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


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.ENOTDIR, errno.EEXIST])
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
