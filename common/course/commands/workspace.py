"""The learner's commands: start, reset, hint, solution, progress."""

import json

import click

from common.course.base import paths
from common.course.learner import guidance, workspace
from common.course.learner import progress as record
from common.course.learner.plain_math import plain
from common.course.source import lab_source
from common.course.startpage import overview


@click.command()
@click.argument("lab_id", metavar="ID", required=False)
@click.option("--update", is_flag=True, help="Bring your answers over into a newer release (a backup is kept).")
def start(lab_id: str | None, update: bool):
    """Copy lab ID (such as 01.2) into work/, where your answers live. Without an ID: the lab that comes next.

    Run it as often as you like: it never overwrites what you wrote.
    """
    lab = lab_source.find_lab(lab_id) if lab_id else overview.next_lab()
    started = workspace.start(lab, update)
    click.echo(told(lab, started))
    if started.state == "unreadable":
        raise SystemExit(1)


def told(lab: paths.Lab, started: workspace.Started) -> str:
    """What `start` did, in a few lines for the terminal."""
    here = workspace.shown(started.notebook)
    kept = f"The copy before that is kept: {workspace.shown(started.backup)}" if started.backup else ""
    opening = f"Open {here} in JupyterLab (`flipbook learn`), VS Code, or any notebook editor."
    lines = {
        "new": [f"Lab {lab.id} is yours: {here}", opening],
        "same": [f"Lab {lab.id} is already started, and its release has not changed: {here}", opening],
        "refreshed": [f"{here} had no answers in it yet; it is now the newest release.", kept, opening],
        "updated": [f"{here} is now the newest release, with your work in it.", *_carried(started.report), kept],
        "outdated": [
            f"{here} holds your work, so it stays as it is. A newer release of lab {lab.id} is out:",
            f"`flipbook start {lab.id} --update` brings your answers over into it and keeps a backup.",
        ],
        "unreadable": [
            f"{here} cannot be read as a notebook, and it was left alone.",
            f"`flipbook reset {lab.id}` keeps a backup of it and puts a fresh copy in its place.",
        ],
    }[started.state]
    if started.state in ("refreshed", "updated"):
        lines.append("If it is open in JupyterLab: File > Reload Notebook from Disk.")
    return "\n".join(line for line in lines if line)


def _carried(report) -> list[str]:
    lines = []
    if report.carried:
        lines.append(f"Carried over: {', '.join(report.carried)}.")
    if report.own_cells:
        lines.append(f"Kept {report.own_cells} of your own cells.")
    if report.edited:
        lines.append(f"Kept your edits in {report.edited} other cells.")
    if report.superseded:
        lines.append(f"{report.superseded} cells that you had edited were changed by the course too: its text stands.")
    if report.orphaned:
        lines.append(f"No longer an exercise, kept as a cell of your own: {', '.join(report.orphaned)}.")
    return lines


@click.command()
@click.argument("lab_id", metavar="ID")
@click.argument("exercise", required=False)
def reset(lab_id: str, exercise: str | None):
    """Put lab ID, or one EXERCISE of it, back to its empty form. What was there is kept in work/backups/."""
    lab, exercise = lab_source.find(lab_id, exercise)
    saved = workspace.reset(lab, exercise)
    what = workspace.named_exercise(lab, exercise) if exercise else f"lab {lab.id}"
    click.echo(f"{what} is empty again in {workspace.shown(lab.notebook('work'))}")
    click.echo(f"What you had is kept: {workspace.shown(saved)}")
    click.echo("If it is open in JupyterLab: File > Reload Notebook from Disk.")


@click.command()
@click.argument("lab_id", metavar="ID")
@click.argument("exercise", required=False)
@click.option("--all", "everything", is_flag=True, help="All hints at once.")
def hint(lab_id: str, exercise: str | None, everything: bool):
    """Show the next hint for EXERCISE (its name or its number) of lab ID. There are three, each says more.

    Without EXERCISE: which exercises the lab has.
    """
    lab, exercise = lab_source.find(lab_id, exercise)
    if exercise is None:
        click.echo(f"The exercises of lab {lab.id}; `flipbook hint {lab.id} NAME` shows the next hint of one:")
        for number, found in enumerate(lab_source.exercises(lab), 1):
            click.echo(f"  {number}  {found.name}")
        return
    exercise = workspace.named_exercise(lab, exercise)
    hints, total = guidance.next_hints(lab, exercise, everything)
    for number, text in hints:
        click.echo(f"Hint {number} of {total} for {exercise}:\n\n{plain(text)}\n")
    if hints[-1][0] == total:
        click.echo("That was the last hint. The answer itself:")
        click.echo(f"    flipbook solution {lab.id} {exercise} --give-up")


@click.command()
@click.argument("lab_id", metavar="ID")
@click.argument("exercise")
@click.option("--give-up", is_flag=True, help="Show it although the exercise has not passed (this is remembered).")
def solution(lab_id: str, exercise: str, give_up: bool):
    """Show the reference answer of EXERCISE (its name or its number) of lab ID, once yours has passed."""
    lab = lab_source.find_lab(lab_id)
    exercise = workspace.named_exercise(lab, exercise)
    click.echo(guidance.solution(lab, exercise, give_up))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def progress(as_json: bool):
    """Show how far you have come: exercises and points of each lab, and what comes next."""
    course = overview.look()
    if damage := record.damage():
        click.echo(f"flipbook: {damage}", err=True)
    click.echo(json.dumps(course.as_dict(), indent=2) if as_json else overview.as_text(course))
