"""A check judges what was run, and says so when the screen shows something else."""

from types import SimpleNamespace

import pytest

from common.course.checking import screen

RAN = "def double(x):\n    return 2 * x"


def shell(*cells):
    return SimpleNamespace(history_manager=SimpleNamespace(input_hist_raw=["", *cells]))


@pytest.mark.parametrize(
    "on_screen, changed",
    [(RAN, False), (RAN + "  \n\n", False), (RAN.replace("2", "3"), True), ("", True), ("# not yet", True)],
)
def test_an_edited_cell_that_was_not_run_is_noticed(on_screen, changed):
    screen.shown("double", on_screen)
    assert screen.changed_since_run("double", shell(RAN, "double(4)")) == changed


def test_the_last_run_counts_and_earlier_ones_do_not():
    screen.shown("double", RAN)
    assert screen.changed_since_run("double", shell(RAN, RAN.replace("2", "3")))


def test_nothing_is_said_where_nothing_is_known():
    """no word from the front end, a cell that was never run, a word that was used up"""
    assert not screen.changed_since_run("double", shell(RAN))
    screen.shown("double", "def double(x): pass")
    assert not screen.changed_since_run("double", shell("def other(x): pass"))
    assert not screen.changed_since_run("double", shell(RAN))


@pytest.mark.parametrize("text", ["class double:\n    pass", "double = lambda x: x", "@cache\ndef double(x): pass"])
def test_a_definition_is_found_in_every_form(text):
    assert screen.last_run("double", shell("double(3)", text, "x = double == 3")) == text


def test_a_magics_output_and_strings_that_only_look_alike_are_none():
    assert screen.last_run("double", shell("redouble = 3", "doubled = 2", "print('def double')")) is None
