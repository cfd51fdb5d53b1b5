"""A notebook becomes a module by running what grading needs, and nothing else."""

import json

import pytest

from common.course.base import paths
from common.course.base.paths import CourseError
from common.course.checking import explain, loader, runner
from common.course.source.lab_source import find_lab


def module(*cells, lab_id="01.1"):
    """Cells as (tags, source); a bare string is an untagged cell."""
    pairs = [("", c) if isinstance(c, str) else c for c in cells]
    made = [
        loader.Cell(f"cell {n}", source, frozenset(tags.split()), "f" if "exercise" in tags else "")
        for n, (tags, source) in enumerate(pairs, 1)
    ]
    return loader.load_cells(made, lab_id)


def test_setup_and_exercise_cells_run_in_full_and_in_order():
    loaded = module(
        ("setup", "log = []\nlog.append(1)"), ("exercise", "for k in range(2): log.append(k)\nf = max(log)")
    )
    assert (loaded.log, loaded.f) == ([1, 0, 1], 1)


@pytest.mark.parametrize("tag", ["check", "demo", "check nbval-check-output", "demo setup"])
def test_check_and_demo_cells_never_run(tag):
    loaded = module(("setup", "ran = []"), (tag, "ran.append(1)\ndef f(): pass"))
    assert loaded.ran == [] and not hasattr(loaded, "f")


def test_an_untagged_cell_gives_definitions_and_constants_and_runs_no_loop():
    loaded = module(
        "import math as m\n"
        "SIZE: int = 3\nSCALE = 2 / 255\nNAMES = ['a', ('b', -1)]\nHALF = m.pi / 2\ntwice = lambda x: 2 * x\n"
        "@staticmethod\ndef helper(x): return x\n"
        "class Thing: size = SIZE\n"
        "while True: pass\n"
        "result = helper(exit())\n"
        "[print(k) for k in range(3)]\n"
    )
    assert (loaded.SIZE, loaded.NAMES, loaded.Thing.size, loaded.twice(4)) == (3, ["a", ("b", -1)], 3, 8)
    assert (2 / 255, loaded.m.pi / 2) == (loaded.SCALE, loaded.HALF)
    assert not hasattr(loaded, "result")


def test_a_definition_survives_a_failing_neighbour_in_an_untagged_cell():
    loaded = module("import no_such_module\nX = undefined\ndef f(): return 1")
    assert loaded.f() == 1


@pytest.mark.parametrize(
    "line",
    [
        "%matplotlib inline",
        "!pip install x",
        "files = !ls",
        "t = %time f()",
        "%%time",
        "%%capture out",
        "f?",
        "?f",
        "f??",
    ],
)
def test_notebook_magics_do_no_harm(line):
    assert module(("exercise", f"{line}\ndef f():\n    return 1")).f() == 1


def test_magics_inside_a_function_do_no_harm():
    assert module(("exercise", "def f():\n    !ls\n    return 1")).f() == 1


@pytest.mark.parametrize("magic", ["%%bash", "%%html", "%%javascript", "%%writefile x.py"])
def test_a_cell_in_another_language_is_passed_over(magic):
    assert module(("setup", f"{magic}\nrm -rf nothing; <b>"), ("exercise", "f = 1")).f == 1


def test_a_remainder_at_the_start_of_a_line_is_no_magic():
    assert module(("exercise", "f = (7\n% 4)\ntext = '''\n%kept\n!kept'''")).f == 3
    assert "%kept" in module(("exercise", "text = '''\n%kept'''")).text


def test_a_crashed_cell_is_told_when_its_name_is_wanted_and_hides_no_other():
    loaded = module(("exercise", "1 / 0\ndef f(): pass"), ("exercise", "def g(): return 2"))
    assert loaded.g() == 2
    with pytest.raises(explain.CellFailed, match=r"ZeroDivisionError.*line 1 of your cell: `1 / 0`"):
        loaded.f()


def test_a_failed_set_up_is_named_beside_the_cell_that_fell_with_it():
    loaded = module(("setup", "import no_such_module"), ("exercise", "def f(x: no_such_module.T): pass"))
    with pytest.raises(
        explain.CellFailed, match=r"(?s)`cell 2` did not run: NameError.*before that, .*No module named"
    ):
        loaded.f()


def test_a_missing_name_is_an_attribute_error_so_that_getattr_and_hasattr_work():
    loaded = module(("setup", "x = 1"))
    assert getattr(loaded, "y", 5) == 5 and not hasattr(loaded, "y")
    with pytest.raises(explain.NotDefined, match="`y` is not in the notebook"):
        loaded.y  # noqa: B018


def test_the_learners_code_does_not_inherit_the_loaders_future():
    assert module(("exercise", "def f(x: int): pass")).f.__annotations__ == {"x": int}


def test_an_error_in_a_loaded_function_knows_its_cell():
    loaded = module(("exercise", "def f():\n    return 1 / 0"))
    assert loaded.f.__code__.co_filename == "<01.1 cell 1>"
    with pytest.raises(ZeroDivisionError) as caught:
        loaded.f()
    assert explain.describe(caught.value, loaded.__dict__).endswith("(line 2 of your cell: `return 1 / 0`)")


def test_dataclasses_and_their_text_work_in_a_loaded_module():
    loaded = module(
        ("setup", "from dataclasses import dataclass"), ("exercise", "@dataclass\nclass f:\n    x: 'int' = 3")
    )
    assert repr(loaded.f()) == "f(x=3)"


def test_a_live_namespace_is_read_at_the_moment_of_use():
    namespace = {"f": 1}
    live = loader.LiveModule(namespace)
    assert live.f == 1
    namespace["f"] = 2
    assert live.f == 2
    with pytest.raises(explain.NotDefined, match="run the cell that defines it"):
        live.g  # noqa: B018


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"cells": 3}', "null", '{"cells": null}', "[" * 100_000],
    ids=["empty", "cut off", "a list", "no cells", "number", "null", "null cells", "deep"],
)
def test_a_damaged_notebook_is_one_clean_error(tmp_path, text):
    file = tmp_path / "n.ipynb"
    file.write_text(text)
    with pytest.raises(CourseError, match=r"n\.ipynb is not a readable notebook"):
        loader.load(file, "01.1")


def test_a_missing_notebook_and_a_folder_are_clean_errors(tmp_path):
    with pytest.raises(CourseError, match="there is no notebook"):
        loader.load(tmp_path / "none.ipynb", "01.1")
    with pytest.raises(CourseError, match="cannot be read"):
        loader.load(tmp_path, "01.1")


@pytest.mark.parametrize(
    "metadata", [{}, None, [], {"tags": None}, {"tags": [1]}, {"flipbook": 3}, {"flipbook": {"exercise": 3}}]
)
def test_stripped_or_strange_metadata_still_give_the_definitions(tmp_path, metadata):
    cell = {"cell_type": "code", "source": ["def f():\n", "    return 1\n"], "metadata": metadata}
    file = tmp_path / "n.ipynb"
    file.write_text(json.dumps({"cells": [cell, {"cell_type": "markdown", "source": "x"}]}))
    assert loader.load(file, "01.1").f() == 1


def test_one_answer_can_be_exchanged():
    cells = [
        loader.Cell("a", "a = 1", frozenset({"exercise"}), "a"),
        loader.Cell("b", "b = 1", frozenset({"exercise"}), "b"),
    ]
    assert loader.load_cells(loader.replace_exercise(cells, "b", "b = 2"), "01.1").b == 2
    assert cells[1].source == "b = 1"
    with pytest.raises(CourseError, match="no cell of this notebook answers 'c'"):
        loader.replace_exercise(cells, "c", "")


def test_plotting_is_loaded_only_when_an_answer_plots():
    import subprocess
    import sys

    program = """
import sys
from common.course.checking import loader
source = "import matplotlib.pyplot as plt\\ndef f():\\n    return plt.figure(figsize=(3, 2)).get_size_inches()[0]"
module = loader.load_cells([loader.Cell("f", source, frozenset({"exercise"}), "f")], "01.1")
before = "matplotlib.figure" in sys.modules
print(before, module.f(), type(module.plt).__name__, sys.modules["matplotlib"].pyplot is module.plt)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "3.0", "module", "True"]


HELPERS = {
    "a value that is computed": ("ONE = math.sqrt(4)", "ONE"),
    "a partial function": ("half = functools.partial(pow, 4)", "half(1) / 2"),
    "a definition in a branch": ("if math.pi > 3:\n    def two(): return 2", "two()"),
    "a loop that fills": ("table = {}\nfor k in range(3):\n    table[k] = 2", "table[1]"),
    "a with block": ("with contextlib.nullcontext(2) as two: pass", "two"),
    "a chain of names": ("a = len('xy')\nb = max(a, 1)", "b"),
    "two names at once": ("low, high = sorted((9, 2))", "low"),
    "something shown": ("shown = 2; display(shown)", "shown"),
    "a top-level await": ("import asyncio\nwaited = await asyncio.sleep(0, 2)", "waited"),
    "a walrus": ("[two := k for k in range(3)]", "two"),
}


@pytest.mark.parametrize("case", HELPERS)
def test_an_answer_gets_the_helpers_from_the_students_own_cells(case):
    helper, used = HELPERS[case]
    loaded = module(
        ("setup", "import contextlib, functools, math"), helper, ("exercise", f"def f():\n    return {used}")
    )
    assert loaded.f() == 2


def test_what_no_answer_needs_is_not_run():
    """a name that is local in the answer is not the global one; a loop that binds nothing wanted is left alone"""
    loaded = module(
        ("setup", "ran = []"),
        "loss = ran.append('training') or 1\nwhile True:\n    step = 1\nresult = f(exit())",
        ("exercise", "def f(x):\n    loss = x\n    return loss"),
    )
    assert loaded.ran == [] and loaded.f(2) == 2 and not hasattr(loaded, "result")


FILLED = {
    "a list": ("table = []\ntable.append(2)", "table[0]"),
    "a dictionary, in a loop": ("table = {}\nfor k in 'ab': table.update({k: 2})", "table['b']"),
    "an array": ("two = numpy.zeros(3)\ntwo.fill(2)", "two[1]"),
}


@pytest.mark.parametrize("case", FILLED)
def test_what_fills_a_helper_in_place_is_run_too(case):
    helper, used = FILLED[case]
    assert module(("setup", "import numpy"), helper, ("exercise", f"def f():\n    return {used}")).f() == 2


@pytest.mark.parametrize("helper", [
    "globals().update(TWO=2)",
    "exec('TWO = 2')",
    "import sys\nsetattr(sys.modules[__name__], 'TWO', 2)",
    "def define():\n    global TWO\n    TWO = 2\ndefine()",
    "%run helpers.py",
])  # fmt: skip
def test_a_cell_that_was_not_run_is_named_where_its_name_is_missed(helper):
    answer = ("exercise", "def f():\n    return TWO")
    loaded = module("print('TWO of a kind')", helper, "print(f(TWO=1))", answer)
    with pytest.raises(NameError) as caught:
        loaded.f()
    said = explain.describe(caught.value, loaded.__dict__)
    assert "`TWO` is not defined: of your `cell 2` a check does not run `" in said and "Write `TWO = …`" in said


def test_the_words_of_a_grader_name_that_cell_too():
    loaded = module("globals().update(TWO=2)", ("exercise", "def f():\n    return TWO"))
    with pytest.raises(AssertionError) as caught:
        try:
            loaded.f()
        except NameError as error:
            raise AssertionError("your code raises NameError") from error
    status, said = explain.status_of(caught.value, "f", loaded.__dict__, __file__)
    assert status == "fail" and said.splitlines()[1].startswith("of your `cell 1` a check does not run `globals().")


def test_a_cell_that_is_too_deep_to_be_written_out_spoils_nothing():
    loaded = module("print(" + "1 + " * 3000 + "1)", ("exercise", "def f():\n    return TWO"))
    with pytest.raises(NameError) as caught:
        loaded.f()
    assert "`TWO` is not defined" in explain.describe(caught.value, loaded.__dict__)


def test_a_name_that_no_cell_defines_is_blamed_on_none():
    loaded = module("print(f())", ("exercise", "def f():\n    return TWO"))
    with pytest.raises(NameError) as caught:
        loaded.f()
    assert "`TWO` is not defined: run the cell that defines it" in explain.describe(caught.value, loaded.__dict__)


def test_exercise_cells_have_the_kernels_names_and_syntax():
    loaded = module(("exercise", "import asyncio\nawait asyncio.sleep(0)\ndisplay(get_ipython())\ndef f(): return 3"))
    assert loaded.f() == 3


def test_helpers_after_their_use_and_in_a_notebook_without_tags():
    assert module(("exercise", "def f(): return LATE"), "LATE = len('ab')").f() == 2
    assert module("SIZE = len('ab')", "def f(): return SIZE", "slow = [k for k in iter(int, 1)]").f() == 2


def test_a_students_notebook_with_helpers_passes_as_it_does_in_the_kernel():
    notebook = paths.root() / "tests" / "course" / "notebooks" / "helper_in_own_cell.ipynb"
    results = runner.run_tests(find_lab("01.2"), submission=notebook)
    assert [(r.test, r.message) for r in results if not r.ok] == []
