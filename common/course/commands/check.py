"""`flipbook check ID [EXERCISE]`."""

import dataclasses
import gc
import json
import sys
import time
from pathlib import Path

import click

from common.cli.user_path import UserPath
from common.course.base import paths
from common.course.base.results import score
from common.course.checking import render, runner
from common.course.learner import workspace
from common.course.source import lab_source

QUIET_SECONDS = 2.0  # a check that takes longer says what it is at


@click.command()
@click.argument("lab_id", metavar="ID")
@click.argument("exercise", required=False)
@click.option("--target", type=click.Choice(["work", "labs", "solutions"]), default="work", show_default=True)
@click.option("--notebook", type=UserPath(path_type=Path), help="Check this file instead.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=20.0, help="Seconds that one test may take.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Seed of the tests' random inputs.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def check(lab_id, exercise, target, notebook, timeout, seed, as_json):
    """Check a lab, or one EXERCISE of it (its name or its number). The exit code is 0 only when everything passes."""
    lab, exercise = lab_source.find(lab_id, exercise)
    if exercise is not None:
        exercise = workspace.named_exercise(lab, exercise, [known.name for known in lab_source.exercises(lab)])
    file = notebook or find_notebook(lab, target)
    load_libraries()
    with Progress(sys.stderr) as progress:
        results = runner.run_tests(lab, exercise, submission=file, listener=progress.listen, timeout=timeout, seed=seed)
    if Path(file).resolve() == lab.notebook("work").resolve():
        runner.remember(lab, results)
    passed = bool(results) and all(r.ok for r in results)
    if as_json:
        click.echo(json.dumps(report(lab, exercise, file, results), indent=1))
    else:
        following = runner.next_step(lab, exercise) if passed else ""
        click.echo(render.as_text(lab, results, colour=sys.stdout.isatty(), next_step=following))
    sys.exit(0 if passed else 1)


def find_notebook(lab: paths.Lab, target: str) -> Path:
    """The notebook to check. For a lab that was not started, the empty one, and a word on standard error.

    Raises:
        CourseError: it is not there; the message says how to get one.
    """
    file, empty = lab.notebook(target), lab.notebook("labs")
    if file.exists():
        return file
    if target == "work" and empty.exists():
        start = f"`flipbook start {lab.id}` puts your copy into work/"
        click.echo(f"lab {lab.id} was not started: this checks the empty lab. {start}.", err=True)
        return empty
    raise paths.CourseError(f"{file} is missing. `flipbook build {lab.id}` makes it")


def load_libraries() -> None:
    """Import what every check needs, without looking for garbage meanwhile: a tenth of the waiting time."""
    gc.disable()
    import pytest  # noqa: F401
    import torch  # noqa: F401

    gc.freeze()
    gc.enable()


def report(lab, exercise, file, results) -> dict:
    """What `--json` prints."""
    earned, points = score(results)
    rows = [{k: v for k, v in dataclasses.asdict(r).items() if k != "pictures"} for r in results]
    return {
        "lab": lab.id,
        "exercise": exercise,
        "notebook": str(file),
        "ok": bool(results) and all(r.ok for r in results),
        "earned": earned,
        "points": points,
        "results": rows,
    }


class Progress:
    """One line that is rewritten while a check runs; silent for the first two seconds and where no one looks."""

    def __init__(self, stream):
        self.stream, self.began, self.done, self.shown = stream, time.monotonic(), 0, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.shown:
            self.stream.write("\r\033[K")

    def listen(self, event, result) -> None:
        seconds = time.monotonic() - self.began
        self.done += event == "end"
        if event == "start" and seconds > QUIET_SECONDS and self.stream.isatty():
            self.shown = True
            self.stream.write(f"\r\033[K{seconds:3.0f} s, {self.done} tests done, now: {result.title[:70]}")
            self.stream.flush()
