"""Progress bars: to standard error in a terminal, to standard output in a notebook, and nowhere else."""

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from common.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def streams(monkeypatch):
    """`streams(is_terminal, in_notebook)` replaces standard output and error, and returns what they got."""

    def replaced(is_terminal, in_notebook):
        out, err = io.StringIO(), Terminal() if is_terminal else io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        shell = SimpleNamespace(kernel=None) if in_notebook else None
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
        monkeypatch.delenv("TQDM_DISABLE", raising=False)
        return out, err

    return replaced


@pytest.mark.parametrize("in_notebook", [False, True])
def test_it_can_be_hidden_from_outside(in_notebook):
    """`TQDM_DISABLE`, with which notebooks are built: a stored bar is another one every time."""
    code = "import sys; {}; from common.progress import progress_bar; list(progress_bar(range(3), always=True))"
    kernel = "from types import SimpleNamespace as N; sys.modules['IPython'] = N(get_ipython=lambda: N(kernel=0))"
    ran = subprocess.run(
        [sys.executable, "-c", code.format(kernel if in_notebook else "pass")],
        env=os.environ | {"TQDM_DISABLE": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.parametrize("disable", [None, False], ids=["unsaid", "shown"])
def test_a_notebook_shows_it_on_plain_ground(streams, disable):
    out, err = streams(is_terminal=False, in_notebook=True)
    assert list(progress_bar(range(3), desc="reading", disable=disable)) == [0, 1, 2]
    assert "reading: 100%" in out.getvalue() and "3/3" in out.getvalue() and err.getvalue() == ""


def test_a_terminal_shows_it_and_standard_output_stays_clean(streams):
    out, err = streams(is_terminal=True, in_notebook=False)
    with progress_bar(total=2, desc="reading") as bar:
        bar.update(2)
    assert "reading: 100%" in err.getvalue() and out.getvalue() == ""


@pytest.mark.parametrize(("options", "is_shown"), [({}, False), ({"always": True}, True)], ids=["hidden", "always"])
def test_a_file_gets_none_but_where_it_is_asked_for(streams, options, is_shown):
    out, err = streams(is_terminal=False, in_notebook=False)
    list(progress_bar(range(3), **options))
    assert bool(err.getvalue()) == is_shown and out.getvalue() == ""


@pytest.mark.parametrize("in_notebook", [False, True])
def test_hidden_is_hidden(streams, in_notebook):
    out, err = streams(is_terminal=True, in_notebook=in_notebook)
    list(progress_bar(range(3), always=True, disable=True))
    assert out.getvalue() == err.getvalue() == ""
