"""`flipbook learn`."""

import click

from common.course.setup import learn as course


@click.command()
@click.option("--no-browser", is_flag=True, help="Open no browser; print the address.")
@click.option("--port", type=click.IntRange(1, 65535), default=course.PORT, show_default=True, help="Listen here.")
def learn(no_browser: bool, port: int):
    """Open JupyterLab on the start page: where you are, what comes next, the whole course."""
    for note in course.prepare():
        click.echo(note)
    raise SystemExit(course.run(port, browser=not no_browser))
