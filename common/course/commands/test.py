"""`flipbook test`: every check there is, one after the other, pytest last so that its summary closes the run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import click

from common.course.base import paths

CELL_SECONDS = 120  # a notebook cell that takes longer hangs; nbval's own limit is 2000
PYTHON = [sys.executable, "-P", "-m"]
BANKS = "tests/course/test_banks.py"


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--quick", is_flag=True, help="Only ruff and the test suite: no notebook is executed.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def test(context: click.Context, quick: bool, pytest_arguments: tuple[str, ...]) -> None:
    """Run every check there is: ruff, the builds, the notebooks' outputs, the banks, and last the test suite.

    Arguments that are not ours go to pytest: `flipbook test --quick tests/common -k ssim`.
    """
    failed = [name for name, command, extra in steps(quick) if not run(name, command, extra)]
    if failed:
        click.secho(f"\nThese checks failed, see above: {', '.join(failed)}. Now the test suite.", fg="red")
    suite_passed = run("the test suite", suite(pytest_arguments, without_banks=not quick), {})
    context.exit(0 if suite_passed and not failed else 1)


def steps(quick: bool) -> list[tuple[str, list[str], dict[str, str]]]:
    """What runs before the suite: (name, command, environment variables)."""
    chosen = [("ruff", [*PYTHON, "ruff", "check", "--quiet", "--output-format", "concise"], {})]
    if not quick:
        chosen.append(("build --check", [*PYTHON, "common.course", "build", "--check"], {}))
        found = notebooks()
        if found:
            # STRICT: a check that does not pass raises in its cell, and so fails here.
            chosen.append((f"the outputs of {len(found)} notebooks", nbval(found), {"FLIPBOOK_STRICT": "1"}))
        # By themselves: a bank uses both cores, and its seconds are counted.
        chosen.append(("the banks of answers", [*PYTHON, "pytest", "-q", "-p", "no:cacheprovider", BANKS], {}))
    return chosen


def notebooks() -> list[Path]:
    """The executed notebooks that are in the repository: reference solutions and tutorials."""
    return sorted(path for place in ("phases", "solutions") for path in (paths.root() / place).glob("*/*.ipynb"))


def nbval(found: list[Path]) -> list[str]:
    """Execute the notebooks, two side by side, and compare the outputs of the cells that ask for it."""
    return [
        *PYTHON, "pytest", "--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={CELL_SECONDS}",
        f"--nbval-sanitize-with={paths.root() / 'tests' / 'nbval_sanitize.cfg'}",
        "-p", "no:cacheprovider", "-q", *workers("loadscope"), *map(str, found),
    ]  # fmt: skip


def suite(arguments: tuple[str, ...], *, without_banks: bool = False) -> list[str]:
    """The test suite; a number of workers given by hand wins, since pytest takes the last one."""
    left_out = [f"--ignore={BANKS}"] if without_banks else []
    return [*PYTHON, "pytest", *workers("loadscope"), *left_out, *arguments]


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
