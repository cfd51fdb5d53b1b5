"""How long grading a class takes: `flipbook grade`, one sandbox a submission, beside nbgrader's autograde.

    python benchmarks/grading.py [--submissions 40] [--rounds 4] [--nbgrader 2]

The yardstick is `python -c "import torch"`, timed between the rounds, so that a busy machine slows all of it alike. The
class is made of the reference solution and of wrong answers from the lab's bank, in turn. nbgrader executes the same
notebooks whole, one after the other and in no sandbox; a few are enough for a time for each. The table is printed, the
numbers go to benchmarks/results/grading.json.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common.course import paths
from common.course.cells import find_exercise, read, set_source

LAB = "01.2"
JOBS = 2  # submissions at a time
BOUND = 0.8  # seconds of grading for each submission, as a multiple of importing torch
RESULTS = Path(__file__).resolve().parent / "results" / "grading.json"
# A classroom's libraries find one core for each process, as CI and the worker do.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "FLIPBOOK_PRESET": "ci", "TQDM_DISABLE": "1"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--nbgrader", type=int, default=2, help="submissions for nbgrader; 0 leaves it out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flipbook-benchmark-") as folder:
        report = measure(Path(folder), options.submissions, options.rounds, options.nbgrader)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))
    sys.exit(report["grade"]["multiple of import torch"] > BOUND)


def measure(folder: Path, submissions: int, rounds: int, for_nbgrader: int) -> dict:
    """Seconds of everything, and each submission's share."""
    lab = paths.find_lab(LAB)
    share = -(-submissions // rounds)
    classes = [make_class(folder / f"class{number}", lab, share, number * share) for number in range(rounds)]
    torch_times, grade_times = [import_torch()], []
    for number, each in enumerate(classes):
        grade_times.append(
            seconds([*flipbook(), "grade", str(each), "-j", str(JOBS), "--out", str(folder / f"out{number}")])
        )
        torch_times += [import_torch(), import_torch()]
    yardstick = statistics.median(torch_times)
    report = {
        "machine": machine(),
        "lab": LAB,
        "bound": f"{BOUND} x import torch for each submission",
        "import torch": {"median": round(yardstick, 3), "seconds": [round(t, 3) for t in torch_times]},
        "grade": shares(sum(grade_times), rounds * share, yardstick, jobs=JOBS, sandbox="bubblewrap, one each"),
    }
    if for_nbgrader:
        taken = autograde(folder / "nbgrader", lab, classes[0], for_nbgrader)
        report["nbgrader autograde"] = shares(taken, for_nbgrader, yardstick, jobs=1, sandbox="none")
    return report


def shares(taken: float, count: int, yardstick: float, **more) -> dict:
    each = taken / count
    return {
        "submissions": count,
        "seconds": round(taken, 2),
        "seconds each": round(each, 3),
        "multiple of import torch": round(each / yardstick, 3),
        **more,
    }


def make_class(folder: Path, lab: paths.Lab, count: int, start: int) -> Path:
    """`count` notebooks: every second one right, the others with a wrong answer of the bank each."""
    wrong = sorted(lab.bank.glob("*/wrong_*.py"))
    for number in range(start, start + count):
        notebook = read(lab.notebook("solutions"))
        if number % 2 and wrong:
            answer = wrong[number // 2 % len(wrong)]
            set_source(find_exercise(notebook, answer.parent.name), answer.read_text(encoding="utf-8"))
        place = folder / f"student{number:03d}" / f"{lab.stem}.ipynb"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(notebook), encoding="utf-8")
    return folder


def autograde(folder: Path, lab: paths.Lab, klass: Path, count: int) -> float:
    """Seconds that nbgrader's own command takes for `count` of the same notebooks."""
    source = folder / "source" / lab.phase / f"{lab.stem}.ipynb"
    source.parent.mkdir(parents=True)
    shutil.copy(lab.notebook("solutions"), source)
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.ExecutePreprocessor.timeout = 300\n")
    students = sorted(klass.iterdir())[:count]
    for student in students:
        place = folder / "submitted" / student.name / lab.phase / f"{lab.stem}.ipynb"
        place.parent.mkdir(parents=True)
        shutil.copy(student / f"{lab.stem}.ipynb", place)
    nbgrader = [sys.executable, "-m", "nbgrader"]
    seconds([*nbgrader, "generate_assignment", lab.phase, "--create", "--force"], folder)
    return seconds([*nbgrader, "autograde", lab.phase, "--force"], folder)


def import_torch() -> float:
    return seconds([sys.executable, "-c", "import torch"])


def flipbook() -> list[str]:
    return [sys.executable, "-m", "common.course"]


def seconds(command: list[str], folder: Path | None = None) -> float:
    """How long a command takes; what it says is shown when it fails."""
    # nbgrader calls alembic by name
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**ENVIRONMENT, "FLIPBOOK_ROOT": str(paths.root()), "PYTHONPATH": str(paths.root()), "PATH": programs}
    start = time.perf_counter()
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    taken = time.perf_counter() - start
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    return taken


def machine() -> str:
    return f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Python {platform.python_version()}"


def table(report: dict) -> str:
    lines = [f"{'':22}{'submissions':>12}{'seconds each':>14}{'x import torch':>16}"]
    for name in ("grade", "nbgrader autograde"):
        if name in report:
            row = report[name]
            numbers = f"{row['submissions']:>12}{row['seconds each']:>14.2f}{row['multiple of import torch']:>16.2f}"
            lines.append(f"{name:22}{numbers}   {row['jobs']} at a time, sandbox: {row['sandbox']}")
    lines.append(f"import torch: {report['import torch']['median']:.2f} s (median). Bound: {report['bound']}.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
