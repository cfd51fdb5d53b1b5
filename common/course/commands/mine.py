"""`--mine` for the library's own commands: `train`, `evaluate`, `reconstruct` and `play` on what the learner wrote."""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

import click

from common.cli import reconstruct as reconstruction
from common.cli.evaluate import evaluate as library_evaluate
from common.cli.play import play as library_play
from common.cli.train import train as library_train
from common.course.base.paths import CourseError
from common.data.download import DataError

OPTION = click.Option(["--mine"], is_flag=True, help="Run on the parts that you have written in work/.")


def on_own_parts(command: click.Command, work: Callable | None = None) -> click.Command:
    """The same command with an option `--mine`. Whose parts ran is said at the end, beside what the command prints.

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

        with swap.mine(saves=command is library_train) as report, said(report):
            (work or command.callback)(**options)

    return click.Command(command.name, params=[*command.params, OPTION], callback=run, help=command.help)


@contextlib.contextmanager
def said(report) -> Iterator[None]:
    """Say first which of the learner's parts are in place, and at the end, whatever it is, whose parts ran."""
    from common.course.learner import swap

    click.echo(report.in_place, err=True)
    try:
        with swap.calls() as called:
            yield
    finally:
        click.echo(f"whose parts ran:\n{report.of(called)}", err=True)


def draw_reconstruction(**options) -> None:
    """The library's work; a fault of no one's part, such as a missing file, is said in one line."""
    try:
        reconstruction.draw_reconstruction(**options)
    except (OSError, DataError) as error:
        raise CourseError(str(error)) from error


evaluate = on_own_parts(library_evaluate)
train = on_own_parts(library_train)
reconstruct = on_own_parts(reconstruction.reconstruct, draw_reconstruction)


def play_with_own_parts(mine, **options) -> None:
    """Play; with `mine` on the learner's parts. A part that crashes ends the session, and the page says which."""
    if not mine:
        return library_play.callback(**options)
    from common.course.learner import swap

    with swap.mine() as report, said(report):
        return library_play.callback(**options, explain=partial(swap.explain_crash, report=report))


play = click.Command(
    "play", params=[*library_play.params, OPTION], callback=play_with_own_parts, help=library_play.help
)
