"""Mistyped names get the nearest one; a phase, a lab and `help` are answered with what there is."""

import click
import pytest
from click.testing import CliRunner

from common.course.__main__ import main
from common.course.base.guess import did_you_mean


def said(*words) -> str:
    return CliRunner().invoke(main, list(words)).output


@pytest.mark.parametrize(
    "words, answer",
    [
        (["chek", "01.2"], "Did you mean check?"),
        (["help", "progres"], "Did you mean progress?"),
        (["check", "frame_extractor"], "Did you mean 02_frame_extractor?"),
        (["check", "01.2", "even_index", "--target", "solutions"], "Did you mean even_indices?"),
        (["hint", "01.2", "frame_to_clip"], "Did you mean frames_to_clip?"),
        (["play", "romos"], "did you mean rooms?"),
        (["train", "sprites-gna"], "did you mean sprites-gan?"),
        (["check", "1"], "01.2 Frame extractor"),
        (["check", "5"], "05.1 A 2D VAE, frame by frame"),
        (["check", "01.2", "6", "--target", "labs"], "Its exercises are: even_indices"),
        (["hint", "01.2"], "  5  sample_clip"),
        (["help"], "mutants"),
        (["help", "check"], "Usage: main check"),
    ],
)
def test_an_answer_that_helps(words, answer):
    assert answer in said(*words)


def test_nothing_is_guessed_where_nothing_is_near():
    assert did_you_mean("xyz", ["check", "hint"]) == "" and did_you_mean("check", ["check"]) == ""


@pytest.mark.parametrize(
    "words",
    [["chek"], ["check", "--nope"], ["zoo", "x"], ["data", "verfy"], ["--nope"], ["check"], ["train", "nothing"],
     ["generate", "qwertz"], ["check", "09.9"], ["show", "no_such_file.mp4"]],
    ids=" ".join,
)  # fmt: skip
def test_every_error_has_one_style(words):
    """whoever finds the fault, click or we: the program's name, what is wrong, and no page of usage"""
    output = said(*words)
    assert output.startswith("flipbook: ") and "Usage:" not in output and "Traceback" not in output


@pytest.mark.parametrize(
    "error, told",
    [
        (ModuleNotFoundError("No module named 'watchfiles'", name="watchfiles"), "needs the package watchfiles"),
        (ModuleNotFoundError("No module named 'a.b'", name="a.b"), "needs the package a, which is not installed"),
        (ImportError("OpenCV is not installed; it comes with the course"), "OpenCV is not installed"),
    ],
)
def test_a_package_that_is_not_there_is_a_sentence(monkeypatch, error, told):
    """and a module of our own, or a name that a module lacks, is a fault that shows where it is"""

    def fail(error):
        raise error

    monkeypatch.setattr(main, "get_command", lambda ctx, name: click.Command(name, callback=lambda: fail(error)))
    ran = CliRunner().invoke(main, ["watch"])
    assert ran.exit_code == 2 and ran.output.startswith("flipbook: ") and told in ran.output
    for error in (ModuleNotFoundError(name="common.nothing"), ImportError("cannot import name", name="torch")):
        assert CliRunner().invoke(main, ["watch"]).exception is error
