"""`flipbook test`: every check there is, one after the other, pytest last so that its summary closes the run."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import click

from common.course.base import paths
from common.course.base.paths import Lab

CELL_SECONDS = 120  # a notebook cell that takes longer hangs; nbval's own limit is 2000
PYTHON = [sys.executable, "-P", "-m"]
BANKS = "tests/course/test_banks.py"
BRIEF = ["--summary=none", "--output-format", "min-text"]
TIMING = ["-p", "common.course.suite.timing"]


@dataclass
class Plan:
    """What is to run. None stands for everything of its kind."""

    notebooks: list[Path]
    tests: list[Path] | None = None
    banks: list[Lab] | None = None
    pytest_arguments: tuple[str, ...] = ()
    quick: bool = False
    steps: list[tuple[str, list[str], dict[str, str]]] = field(default_factory=list)


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--quick", is_flag=True, help="Only ruff, the types and the test suite: no notebook is executed.")
@click.option(
    "--changed", metavar="[BASE]", is_flag=False, flag_value="HEAD",
    help="Only what can be affected by the changes since BASE (a commit or branch; without it, since the last commit).",
)  # fmt: skip
@click.option("--list", "only_list", is_flag=True, help="With --changed: say what it chooses, and run nothing.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def test(
    context: click.Context, quick: bool, changed: str | None, only_list: bool, pytest_arguments: tuple[str, ...]
) -> None:
    """For contributors: run every check there is, in about 20 minutes on two cores.

    That is ruff, the types, the builds, the notebooks' outputs, the banks, and last the test suite. Arguments that are
    not ours go to pytest: `flipbook test --quick tests/common -k ssim`.
    """
    plan = Plan(notebooks(), pytest_arguments=pytest_arguments, quick=quick)
    if only_list and not changed:
        raise click.UsageError("--list says what --changed chooses: give both.")
    if changed:
        narrow(plan, changed)
    if only_list:
        return
    with tempfile.TemporaryDirectory() as folder:
        times = {"FLIPBOOK_TIMES": str(Path(folder) / "times.json")}
        failed = [name for name, command, extra in steps(plan) if not run(name, command, extra | times)]
        if failed:
            click.secho(f"\nThese checks failed, see above: {', '.join(failed)}. Now the test suite.", fg="red")
        if plan.tests == []:
            click.echo("\nNo test file reads anything that has changed.")
            context.exit(1 if failed else 0)
        whole = not (quick or changed or pytest_arguments)
        suite_passed = run("the test suite", suite(plan), times | ({"FLIPBOOK_PROJECT": "1"} if whole else {}))
    context.exit(0 if suite_passed and not failed else 1)


def narrow(plan: Plan, base: str) -> None:
    """Leave out what no change since `base` can affect, and say so."""
    from common.course.suite import affected

    changed = affected.changed_files(base)
    chosen = affected.select(changed, suite_files(), plan.notebooks)
    click.echo(f"{chosen.summary()}\nChosen:\n{chosen.listing()}")
    plan.tests, plan.notebooks, plan.banks = chosen.tests, chosen.notebooks, chosen.banks


def steps(plan: Plan) -> list[tuple[str, list[str], dict[str, str]]]:
    """What runs before the suite: (name, command, environment variables)."""
    chosen = [
        ("ruff check", [*PYTHON, "ruff", "check", "--quiet", "--output-format", "concise"], {}),
        ("ruff format", [*PYTHON, "ruff", "format", "--quiet", "--check"], {}),
        ("types", [*PYTHON, "pyrefly", "check", "--python-interpreter-path", sys.executable, *BRIEF], {}),
    ]
    if plan.quick:
        return chosen
    chosen.append(("build --check", [*PYTHON, "common.course", "build", "--check"], {}))
    if plan.notebooks:
        # STRICT: a check that does not pass raises in its cell, and so fails here.
        name = f"the outputs of {len(plan.notebooks)} notebooks"
        chosen.append((name, nbval(plan.notebooks), {"FLIPBOOK_STRICT": "1"}))
    if plan.banks != []:
        # By themselves: a bank uses both cores, and its seconds are counted.
        asked = [] if plan.banks is None else ["-k", " or ".join(f"[{lab.id}]" for lab in plan.banks)]
        command = [*PYTHON, "pytest", "-q", "-p", "no:cacheprovider", *TIMING, BANKS, *asked]
        chosen.append(("the banks of answers", command, {}))
    return chosen


def notebooks() -> list[Path]:
    """The executed notebooks that are in the repository: reference solutions and tutorials."""
    return sorted(path for place in ("phases", "solutions") for path in (paths.root() / place).glob("*/*.ipynb"))


def suite_files() -> list[Path]:
    """The test files of the suite; the banks and the graders are run by themselves."""
    found = [
        path for place in ("common", "course", "e2e") for path in (paths.root() / "tests" / place).rglob("test_*.py")
    ]
    left_out = {paths.root() / BANKS}
    return sorted(path for path in found if path not in left_out and "tiny_checkout" not in path.parts)


def nbval(found: list[Path]) -> list[str]:
    """Execute the notebooks, two side by side, and compare the outputs of the cells that ask for it."""
    return [
        *PYTHON, "pytest", "--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={CELL_SECONDS}",
        f"--nbval-sanitize-with={paths.root() / 'tests' / 'nbval_sanitize.cfg'}",
        "-p", "no:cacheprovider", "-q", *TIMING, *workers("loadscope"), *map(str, found),
    ]  # fmt: skip


def suite(plan: Plan) -> list[str]:
    """The test suite; a number of workers given by hand wins, since pytest takes the last one."""
    # The notebooks' step has run every grader on its solution, and the banks' step once more.
    left_out = [] if plan.quick and plan.tests is None else [f"--ignore={BANKS}", "--ignore=tests/labs"]
    chosen = [] if plan.tests is None else [path.relative_to(paths.root()).as_posix() for path in plan.tests]
    return [*PYTHON, "pytest", *TIMING, *workers("loadscope"), *left_out, *chosen, *plan.pytest_arguments]


def workers(distribution: str) -> list[str]:
    return ["-n", "2", "--dist", distribution]


def run(name: str, command: list[str], extra: dict[str, str]) -> bool:
    """Run one check with its output shown as it comes; True when it passed."""
    click.secho(f"\n>> {name}", bold=True)
    # One thread a process: two processes with two threads each are four times slower on two cores.
    settings = {"OMP_NUM_THREADS": "1", "FLIPBOOK_PRESET": "ci", "MPLBACKEND": "agg"}
    began = time.monotonic()
    sys.stdout.flush()
    code = subprocess.run(
        command, cwd=paths.root(), env=os.environ | settings | extra, stdin=subprocess.DEVNULL
    ).returncode
    if "pytest" not in command:
        click.echo(f"{'passed' if code == 0 else f'FAILED (exit code {code})'} in {time.monotonic() - began:.1f} s")
    return code == 0
