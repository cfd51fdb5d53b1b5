"""`flipbook grade DIR`: a class's notebooks, each in a sandbox, and a grade book at the end."""

import itertools
import json
import os
from pathlib import Path

import click

from common.cli.user_path import UserPath
from common.course.base import paths
from common.course.source import lab_source
from common.progress import progress_bar

NOT_GRADED = 3  # exit code where we failed for some submission


@click.command()
@click.argument("folder", type=UserPath(path_type=Path))
@click.option("--lab", "lab_id", help="Grade this lab only; also for notebooks that do not say which lab they are.")
@click.option(
    "--out", type=UserPath(path_type=Path), default=Path("grades"), show_default=True, help="Where reports go."
)
@click.option("-j", "--jobs", type=click.IntRange(1), help="Submissions at a time [default: one for each processor].")
@click.option("--unsafe", is_flag=True, help="Grade without a sandbox: only for code that you trust.")
@click.option("--json", "as_json", is_flag=True, help="Print the grades as JSON too, and keep them as grades.json.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the tests' random inputs.")
@click.option("--memory", type=click.FloatRange(0.25), default=4.0, show_default=True, help="GiB for each submission.")
@click.option(
    "--test-timeout",
    type=click.FloatRange(0.1),
    default=20.0,
    show_default=True,
    help="Seconds that one test may take.",
)
def grade(folder, lab_id, out, jobs, unsafe, as_json, seed, memory, test_timeout):
    """Grade every notebook under FOLDER (FOLDER/alice/02_frame_extractor.ipynb, FOLDER/alice.ipynb, deeper ones too).

    Each runs in a sandbox of its own: no network, no answers, no other submission, limited time and memory. Grades go
    to OUT/grades.csv and OUT/junit.xml, and a page of feedback for each student to OUT/feedback/STUDENT/LAB.
    """
    if os.name != "posix":
        raise paths.CourseError("grading runs on Linux (with --unsafe also on macOS); on Windows, use WSL.")
    from common.course.grading import batch, reports, submissions
    from common.course.grading.sandbox import Bubblewrap, NoSandbox
    from common.course.grading.supervise import Limits

    only = lab_source.find_lab(lab_id) if lab_id else None
    reports.prepare(out)
    found = submissions.find(folder, only, skip=out)
    sandbox = NoSandbox() if unsafe else Bubblewrap([paths.root(), folder, out, Path.home()])
    if unsafe:
        click.secho(reports.UNSAFE, fg="red", bold=True, err=True)
    limits = Limits(test=test_timeout, memory=int(memory * 2**30), wall=max(180.0, 9 * test_timeout))
    with batch.temporary_folder() as scratch:
        work = batch.Batch(sandbox, limits, seed, scratch)
        for lab in sorted({s.lab for s in found if s.lab is not None}):
            work.prepare(lab)
        rows, complete = _with_progress(work, found, jobs or _processors())
    book = reports.Book(rows, sandbox.name, complete, len(found))
    click.echo(reports.as_table(book), err=as_json)  # before the reports: a full disk must not take it along
    kept = reports.write(book, out, as_json=as_json)
    if as_json:
        click.echo(json.dumps(reports.as_data(book), indent=1, ensure_ascii=False))
    click.echo(reports.where(book, out, kept), err=as_json)
    if not complete:
        raise SystemExit(130)
    if any(row.failure for row in rows):
        raise SystemExit(NOT_GRADED)


def _processors() -> int:
    """The processors that this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _with_progress(work, found, jobs):
    """Grade with a bar; where no terminal shows one, with a line on standard error for each submission that is done."""
    from common.course.grading import batch, reports

    done = itertools.count(1)
    with progress_bar(total=len(found), unit="notebook", desc="grading") as bar:

        def on_row(row):
            if bar.disable:
                click.echo(reports.as_line(row, next(done), len(found)), err=True)
            bar.set_postfix_str(row.submission.student[:24], refresh=False)
            bar.update()

        return batch.grade_all(work, found, jobs, on_row)
