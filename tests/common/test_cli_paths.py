"""`~` in a path is the home folder, in every command: shells leave it in `--out=~/x`, and quotes do too."""

import click
import pytest

from common.cli.user_path import UserPath
from common.course.__main__ import COMMANDS, main


def path_parameters():
    """Every parameter of a command that takes a path."""
    with click.Context(main) as context:
        commands = {name: main.get_command(context, name) for name in COMMANDS}
        groups = [c for c in commands.values() if isinstance(c, click.Group)]
        inner = {f"{g.name} {name}": g.get_command(context, name) for g in groups for name in g.list_commands(context)}
    for name, command in (commands | inner).items():
        for parameter in command.params:
            if isinstance(parameter.type, click.Path | click.File):
                yield pytest.param(parameter, id=f"{name} {parameter.name}")


@pytest.mark.parametrize("parameter", list(path_parameters()))
def test_a_path_begins_at_home(parameter, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    wanted = tmp_path / "thing"
    (wanted.touch if parameter.type.file_okay else wanted.mkdir)()
    assert isinstance(parameter.type, UserPath)
    with click.Context(main) as context:
        assert str(parameter.type.convert("~/thing", parameter, context)) == str(wanted)
