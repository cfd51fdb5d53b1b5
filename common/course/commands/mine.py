"""`--mine` for the library's own commands: `train` and `evaluate` on the parts that the learner has written."""

import click

from common.cli.evaluate import evaluate as library_evaluate
from common.cli.train import train as library_train

OPTION = click.Option(["--mine"], is_flag=True, help="Run on the parts that you have written in work/.")


def on_own_parts(command: click.Command) -> click.Command:
    """The same command with an option `--mine`. Whose parts run is said first, beside what the command prints."""

    def run(mine, **options):
        if not mine:
            return command.callback(**options)
        if options.get("update"):
            raise click.ClickException("a card is about the library's parts: --update and --mine exclude each other")
        from common.course.learner import swap

        with swap.mine(saves=command is library_train) as report:
            click.echo(f"whose parts run:\n{report}", err=True)
            command.callback(**options)

    return click.Command(command.name, params=[*command.params, OPTION], callback=run, help=command.help)


evaluate = on_own_parts(library_evaluate)
train = on_own_parts(library_train)
