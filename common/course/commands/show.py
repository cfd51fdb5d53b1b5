"""`flipbook show`: the library's contact sheet, drawn with the learner's parts where `--mine` asks for them."""

import click

from common.cli import show as library
from common.cli.user_path import UserPath


@click.command()
@click.argument("clip", type=UserPath())
@library.sheet_options
@click.option("--mine", is_flag=True, help="Run on the parts that you have written in work/.")
def show(clip, mine, **options):
    """Draw a contact sheet of the video file CLIP."""
    if not mine:
        return library.show.callback(clip, **options)
    from common.course.learner import swap

    try:
        with swap.mine() as report, swap.calls() as called:
            library.draw_sheet(clip, **options)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"whose parts ran:\n{report.of(called)}")
