"""`flipbook watch`."""

import click

from common.course.learner import watch as watching


@click.command()
def watch():
    """Check each notebook in work/ as you save it, until Ctrl-C."""
    watching.watch(say=click.echo)
