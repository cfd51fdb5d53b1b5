"""`flipbook build`: solutions, labs and tutorials from their sources."""

import importlib
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import click

from common.course.base import paths
from common.course.base.paths import CourseError
from common.course.building import build as machine
from common.course.building.build import Target
from common.progress import progress_bar

PACKAGES = ("nbformat", "nbclient", "nbgrader")


@click.command()
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--check", "only_check", is_flag=True, help="Run nothing; exit 1 if something committed is out of date.")
@click.option("--force", is_flag=True, help="Run the notebooks even when nothing has changed.")
@click.option("--measure", is_flag=True, help="Run as learners do, and keep the seconds of each cell. Takes minutes.")
@click.option("-j", "--jobs", default=2, show_default=True, help="Notebooks that run side by side.")
def build(names, only_check, force, measure, jobs):
    """Build solutions, labs and tutorials from their sources.

    ID is a lab (01.2), a phase (01) or the path of a source. Without one, everything that is out of date is built.
    """
    paths.root()  # outside of a checkout there is nothing to build, whatever is installed
    _need_packages()
    chosen = machine.targets(names)
    if only_check:
        problems = check_all(chosen) + ([] if names else machine.orphans())
        if problems:
            click.echo("\n".join(problems))
            click.echo("Run `flipbook build`, look at what it writes, and commit it.")
            sys.exit(1)
    elif build_all(chosen, force or measure, 1 if measure else jobs, machine.measure if measure else None):
        return
    click.echo(f"{len(chosen)} source{'' if len(chosen) == 1 else 's'}: everything built from them is up to date.")


def _need_packages() -> None:
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except ImportError:
            raise CourseError(
                f"building needs the package {name}, which comes with the course: pip install 'flipbook-video[course]'."
            ) from None


def check_all(chosen: list[Target]) -> list[str]:
    """What is out of date; a source that cannot be read is one message."""
    problems = []
    for target in chosen:
        try:
            problems += machine.out_of_date(target)
        except CourseError as error:
            problems.append(str(error))
    return problems


def build_all(chosen: list[Target], force: bool, jobs: int, work: Callable | None = None) -> int:
    """Builds the targets side by side and returns how many files were written.

    Args:
        chosen: the targets.
        force: run the notebooks even when nothing has changed.
        jobs: how many run side by side.
        work: what is done with each target and a function to call after each cell; without it, it is built.

    Raises:
        CourseError: after all have had their turn, with what went wrong in each one that failed.
    """
    work = work or (lambda target, on_cell: machine.build(target, force, on_cell))
    num_written, failures, num_cells = 0, [], 0
    for target in list(chosen):
        try:
            num_cells += target.num_code_cells if machine.needs_run(target, force) else 0
        except CourseError as error:
            failures.append(str(error))
            chosen.remove(target)
    with (
        progress_bar(total=num_cells, unit=" cells", disable=not num_cells or None) as bar,
        ThreadPoolExecutor(jobs) as pool,
    ):
        for future in [pool.submit(work, target, bar.update) for target in chosen]:
            try:
                for path in future.result():
                    num_written += 1
                    bar.write(f"wrote {path}", file=sys.stdout)
            except CourseError as error:
                failures.append(str(error))
    if failures:
        raise CourseError("\n\n".join(failures))
    return num_written
