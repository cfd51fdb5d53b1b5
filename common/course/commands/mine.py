"""`--mine` for the library's own commands: `train`, `evaluate` and `reconstruct` on what the learner has written."""

from collections.abc import Callable

import click

from common.cli import reconstruct as reconstruction
from common.cli.evaluate import evaluate as library_evaluate
from common.cli.train import train as library_train
from common.course.base.paths import CourseError
from common.data.download import DataError

OPTION = click.Option(["--mine"], is_flag=True, help="Run on the parts that you have written in work/.")


def on_own_parts(command: click.Command, work: Callable | None = None) -> click.Command:
    """The same command with an option `--mine`. Whose parts run is said first, beside what the command prints.

    Args:
        command: the library's.
        work: what it does, with Python's own errors: they show in whose part they arose. Without it, the callback.
    """

    def run(mine, **options):
        if not mine:
            return command.callback(**options)
        if options.get("update"):
            raise click.ClickException("a card is about the library's parts: --update and --mine exclude each other")
        from common.course.learner import swap

        with swap.mine(saves=command is library_train) as report:
            click.echo(f"whose parts run:\n{report.begun}", err=True)
            (work or command.callback)(**options)

    return click.Command(command.name, params=[*command.params, OPTION], callback=run, help=command.help)


def draw_reconstruction(**options) -> None:
    """The library's work; a fault of no one's part, such as a missing file, is said in one line."""
    try:
        reconstruction.draw_reconstruction(**options)
    except (OSError, DataError) as error:
        raise CourseError(str(error)) from error


evaluate = on_own_parts(library_evaluate)
train = on_own_parts(library_train)
reconstruct = on_own_parts(reconstruction.reconstruct, draw_reconstruction)
