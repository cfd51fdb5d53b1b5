"""Every command that a page tells a reader to type is a real one.

What counts as a command, in README.md, INSTRUCTORS.md and the pages beside them:

- a line that starts with `$ ` in a block fenced as ```console (what follows without `$ ` is output);
- inline code that starts with `flipbook ` or `python3 flipbook.py `.

Words in CAPITALS (`FILE`, `ID`) stand for a value of the reader's; `...` for any; what follows `  #` is a remark. The
command must exist, know every option, take that many arguments, and the labs and exercises that it names must exist.
Commands that only read (`READ_ONLY`) are run.
"""

import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from common.course.__main__ import COMMANDS, main
from common.course.base import paths
from common.course.source import lab_source

PAGES = [
    path
    for pattern in ("*.md", "tests/*.md", "phases/*/*.md", "benchmarks/**/*.md")
    for path in paths.root().glob(pattern)
]
# Other programs that a reader may be told to use.
OTHERS = {"git", "cd", "mkdir", "cp", "pip", "python3", "pytest", "nbgrader"}
TO_COME = "03.3"  # the example of CONTRIBUTING.md
READ_ONLY = {"progress", "doctor", "data list", "data verify"}


def commands(page: Path) -> list[tuple[str, bool]]:
    """(command, whether it is complete) for every command of a page; one in running text may be only a name."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.M | re.S)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    typed = [(part.strip(), True) for line in lines for part in line.split("  #")[0].split("&&")]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return typed + [(code, False) for code in re.findall(r"`((?:flipbook|python3 flipbook\.py) [^`]+)`", prose)]


ALL = [(page, command, complete) for page in PAGES for command, complete in commands(page)]


def words_of(command: str) -> list[str] | None:
    """The words after `flipbook`; None when the command is another program's."""
    words = [word for word in shlex.split(command) if word not in ("...", "…")]
    words = list(itertools.dropwhile(lambda word: re.match(r"[A-Z_]+=", word), words))  # settings in front
    if words[:2] == ["python3", "flipbook.py"]:
        return words[2:]
    return words[1:] if words[0] == "flipbook" else None


def complaint(words: list[str], complete: bool) -> str:
    """What is wrong with `flipbook WORDS`, or an empty string."""
    command, context, rest = main, click.Context(main), list(words)
    while isinstance(command, click.Group) and rest:
        name = rest.pop(0)
        if name in ("--help", "-h", "--version") or name.isupper():
            return ""
        command = command.get_command(context, name)
        if command is None:
            return f"there is no command {name!r}"
    if isinstance(command, click.Group):
        return "" if not complete else "is without its command"
    try:
        command.make_context(command.name, list(rest))
    except click.MissingParameter as error:
        return error.format_message() if complete else ""
    except click.BadParameter as error:
        values_of_the_reader = [word for word in rest if word.isupper() or "/" in word or Path(word).suffix]
        return "" if values_of_the_reader else error.format_message()
    except click.UsageError as error:
        return error.format_message()
    return unknown_lab(rest)


def unknown_lab(rest: list[str]) -> str:
    """A lab that the course plans but does not have yet, or an exercise that its lab does not have.

    A page that shows how a lab is added (`TO_COME`) may name one that is not there yet.
    """
    ids = [word for word in rest if re.fullmatch(r"\d\d\.\d+", word)]
    known = {lab.id: {exercise.name for exercise in lab_source.exercises(lab)} for lab in paths.all_labs()}
    known |= {item: set() for lab in paths.all_labs() for item in lab_source.item_ids(lab)}
    known.setdefault(TO_COME, {"tiny_image_to_video"})
    for lab_id in ids:
        if lab_id not in known:
            return f"there is no lab {lab_id}"
        following = rest[rest.index(lab_id) + 1 :][:1]
        if following and re.fullmatch(r"[a-z]\w*", following[0]) and following[0] not in known[lab_id]:
            return f"lab {lab_id} has no exercise {following[0]!r}"
    return ""


@pytest.mark.parametrize("page, command, complete", ALL, ids=[f"{page.name}: {command}" for page, command, _ in ALL])
def test_every_command_of_a_page_is_real(page, command, complete):
    words = words_of(command)
    if words is None:
        assert set(command.split()[:2]) & OTHERS, (
            f"{page.name} tells the reader to run {command!r}, which no test knows"
        )
    else:
        assert complaint(words, complete) == "", f"{page.name}: {command}"


@pytest.mark.parametrize("words", ["chek 01.2", "check --colour", "progress 01.2 extra words", "grade", "check 00.99"])
def test_a_command_that_is_not_real_would_be_noticed(words):
    assert complaint(words.split(), complete=True)


def test_the_first_page_names_the_two_commands():
    typed = [command for command, complete in commands(paths.root() / "README.md") if complete]
    assert {"python3 flipbook.py learn", "python3 flipbook.py test"} <= set(typed)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    """`--help` works, names the command, and says more than the one line of the overview."""
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0 and f"Usage: main {name}" in result.output and "--help" in result.output


MENTIONED = sorted({" ".join(words) for _, command, _ in ALL if (words := words_of(command)) is not None} & READ_ONLY)


@pytest.mark.parametrize("command", MENTIONED)
def test_commands_that_only_read_run(command, tmp_path):
    """From any folder, without an error; there may be a complaint about this machine, never a traceback."""
    run = subprocess.run(
        [sys.executable, "-P", "-m", "common.course", *command.split()], cwd=tmp_path, capture_output=True, text=True
    )
    assert "Traceback" not in run.stderr
    assert run.returncode == 0 or command == "doctor", run.stdout + run.stderr
