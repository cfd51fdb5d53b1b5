"""Percent sources: what they say is read exactly, and every slip of the pen is named with its file and line."""

import sys

import pytest

from common.course.base import paths
from common.course.base.paths import CourseError, Lab
from common.course.source import lab_source, percent

SOURCE = """\
# %% [markdown]
# # A tiny lab
#
# Prose, with `code` and a line like `# %% x` inside.

# %% tags=["setup"]
import math

from common.course import check

# %% [markdown] about="double" difficulty=1 importance=3 minutes=5
# ## Twice

# %% exercise="double"
def double(x):
    \"\"\"Twice `x`.\"\"\"
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% check="double"

# %% [markdown] hints="double"
# 1. What is twice three?
# 2. Multiply. For example:
#
#    `2 * 3`
# 3. `2 * x`.

# %% [markdown] about="even_indices" difficulty=2 importance=3 minutes=5
# ## Evenly

# %% exercise="even_indices" from="common.video.sampling:even_indices"

# %% check="even_indices"

# %% [markdown] hints="even_indices"
# 1. One.
# 2. Two.
# 3. Three.

# %% tags=["demo", "nbval-check-output"]
print(double(2))

# %% [markdown] answer="why" points=2
# Why?
#
# ### BEGIN SOLUTION
# Because.
# ### END SOLUTION
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A lab whose source is SOURCE."""
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    (tmp_path / "tests" / "labs").mkdir(parents=True)
    lab = Lab("01_tiny", "02_numbers")
    lab.source.parent.mkdir(parents=True)
    lab.source.write_text(SOURCE)
    return lab


def test_exercises_are_read_in_order_with_their_library_parts(lab):
    assert lab_source.exercises(lab) == [
        lab_source.Exercise("double", None, (), 1, 3, 5),
        lab_source.Exercise("even_indices", "common.video.sampling:even_indices", (), 2, 3, 5),
    ]


def test_hints_are_three_and_keep_their_continuation_lines(lab):
    assert lab_source.hints(lab)["double"] == ["What is twice three?", "Multiply. For example:\n\n`2 * 3`", "`2 * x`."]


def test_a_built_notebook_tells_the_same_exercises_as_the_source(lab):
    """inside the sandbox there is no solutions/, and the lab's metadata answers instead"""
    import json

    from common.course.building.lab_cells import draft_lab

    lab.tests.parent.mkdir(parents=True)
    lab.tests.write_text(
        "import pytest\n"
        '@pytest.mark.exercise("double")\ndef test_a(lab): "a"\n'
        '@pytest.mark.exercise("even_indices")\ndef test_b(lab): "b"\n'
    )
    written = lab_source.exercises(lab)
    lab.notebook("labs").parent.mkdir(parents=True)
    lab.notebook("labs").write_text(json.dumps(draft_lab(lab).notebook({"lab": lab.id})))
    lab.source.unlink()
    assert lab_source.exercises(lab) == written


def test_a_lab_with_neither_source_nor_notebook_is_an_error(lab):
    lab.source.unlink()
    with pytest.raises(CourseError, match=r"01\.2 has neither a source .*02_numbers\.py"):
        lab_source.exercises(lab)


def test_reading_exercises_loads_nothing_heavy(lab):
    """`flipbook check` asks for the exercises on every call; jupytext alone would cost it more than a second"""
    import subprocess

    code = (
        "import sys; from common.course.base import paths; from common.course.source import lab_source, answer_key\n"
        "lab_source.exercises(paths.Lab('01_tiny', '02_numbers'))\n"
        "print([m for m in ('nbformat', 'jupytext', 'nbgrader', 'torch', 'numpy', 'click') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def as_jupytext(path):
    import jupytext

    return [(c.cell_type, c.source.strip()) for c in jupytext.read(path, fmt="py:percent").cells]


def test_the_reader_agrees_with_jupytext(lab):
    assert [(c.kind, c.text.strip()) for c in percent.read(lab.source)] == as_jupytext(lab.source)


def test_the_reader_agrees_with_jupytext_on_every_source_of_the_course():
    written = [*paths.root().glob("solutions/*/*.py"), *paths.root().glob("phases/*/*.py")]
    for path in written:
        assert [(c.kind, c.text.strip()) for c in percent.read(path)] == as_jupytext(path), path.name


def replaced(old, new):
    assert SOURCE.count(old) == 1, f"{old!r} stands {SOURCE.count(old)} times in the source"
    return SOURCE.replace(old, new)


SLIPS = {
    "unknown key": (('# %% check="double"', '# %% chekc="double"'), "solutions/.*02_numbers.py:21: chekc=.*mean check"),
    "key of another role": (("minutes=5\n# ## Twice", "minutes=5 points=1\n# ## Twice"), ":11: points= means nothing"),
    "no value": (('# %% check="double"', "# %% check=double"), ":21: the value of check is not JSON"),
    "no key": (('# %% check="double"', "# %% check double"), ":21: .*does not read"),
    "twice": (('# %% check="double"', '# %% check="double" check="double"'), ":21: check stands twice"),
    "not a text": (('# %% check="double"', "# %% check=3"), ":21: check= names something"),
    "wrong kind": (('# %% [markdown] hints="double"', '# %% hints="double"'), ":23: hints= belongs in a markdown cell"),
    "unknown tag": (('["demo", "nbval-check-output"]', '["dmeo"]'), ":42: the tag 'dmeo'"),
    "difficulty": (("difficulty=1", "difficulty=6"), ":11: .*difficulty= .*at most 5.*6"),
    "no minutes": (("importance=3 minutes=5\n# ## Twice", "importance=3\n# ## Twice"), ":11: .*minutes=.*None"),
    "no heading": (("# ## Twice", "# Twice"), ":11: .*heading"),
    "two hints": (("# 3. `2 * x`.\n", ""), ":23: the hints of double .*this one has 2"),
    "prose in hints": (("# 1. What is", "# Think.\n# 1. What is"), ":24: .*numbered list.*Think"),
    "check of nothing": (('# %% check="double"', '# %% check="duoble"'), ":21: check='duoble'.* mean double"),
    "no check": (('# %% check="double"\n', ""), ":14: the exercise double has no cell with check="),
    "two checks": (('# %% check="double"\n', '# %% check="double"\n' * 2), ":22: .*second time.*line 21"),
    "code in a check": (('# %% check="double"\n', '# %% check="double"\nprint(1)\n'), ":22: a check cell is empty"),
    "no markers": (("    ### END SOLUTION\n", ""), ":14: exercise='double' needs its answer between"),
    "markers in a demo": (("print(double(2))", "### BEGIN SOLUTION\nprint(double(2))"), ":42: solution markers"),
    "another name": (("def double(x):", "def triple(x):"), ":14: this cell defines triple.*called double"),
    "no python": (("    return 2 * x", "    return 2 *"), ":18: invalid syntax"),
    "bad from": (('"common.video.sampling:even_indices"', '"common.video.sampling"'), ":33: from= looks like"),
    "from another": (("sampling:even_indices", "sampling:fps_indices"), ":33: .*must carry the library's name"),
    "blank without from": (('exercise="double"', 'exercise="double" blank="f"'), ":14: blank= lists methods"),
    "uncommented prose": (("# ## Twice", "## Twice"), ":12: a line of a markdown cell starts with"),
    "code above": (("# %% [markdown]\n# # A", "x = 1\n# %% [markdown]\n# # A"), ":1: code before the first cell"),
    "answer and exercise": (('answer="why"', 'answer="double"'), ":45: answer='double' is also the name"),
    "reserved": (('answer="why"', 'answer="setup"'), ":45: .*a name that the build gives"),
    "no points": (('answer="why" points=2', 'answer="why"'), ":45: answer= needs points="),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_file_and_line(lab, slip):
    (old, new), message = SLIPS[slip]
    lab.source.write_text(replaced(old, new))
    with pytest.raises(CourseError, match=message):
        lab_source.read(lab.source)


def test_a_check_before_its_exercise_is_an_error(lab):
    moved = replaced('# %% check="double"\n', "").replace(
        '# %% exercise="double"', '# %% check="double"\n\n# %% exercise="double"'
    )
    lab.source.write_text(moved)
    with pytest.raises(CourseError, match=":14: the check of double comes before its exercise"):
        lab_source.read(lab.source)
