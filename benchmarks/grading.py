"""How long grading a class takes: `flipbook grade`, one sandbox a submission, beside nbgrader's autograde.

    python benchmarks/grading.py [--submissions 40] [--rounds 3] [--nbgrader 2]

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

from common.course.base import paths
from common.course.base.cells import find_exercise, read, set_source
from common.course.source import lab_source

LAB = "01.2"
JOBS = 2  # submissions at a time
BOUND = 0.9  # seconds of grading for each submission, as a multiple of importing torch
RESULTS = Path(__file__).resolve().parent / "results" / "grading.json"
# A classroom's libraries find one core for each process, as CI and the worker do.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "FLIPBOOK_PRESET": "ci", "TQDM_DISABLE": "1"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nbgrader", type=int, default=2, help="submissions for nbgrader; 0 leaves it out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flipbook-benchmark-") as folder:
        report = measure(Path(folder), options.submissions, options.rounds, options.nbgrader)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))
    sys.exit(report["grade"]["multiple of import torch"]["median"] > BOUND)


def measure(folder: Path, submissions: int, rounds: int, for_nbgrader: int) -> dict:
    """Seconds of everything. A round grades the class between timings of the yardstick; its multiple uses those."""
    lab = lab_source.find_lab(LAB)
    klass = make_class(folder / "class", lab, submissions)
    yardsticks, grading, multiples = [import_torch(), import_torch()], [], []
    for _ in range(rounds):
        command = [sys.executable, "-m", "common.course", "grade", str(klass), "-j", str(JOBS)]
        grading.append(seconds([*command, "--out", str(folder / "out")]) / submissions)
        yardsticks += [import_torch(), import_torch()]
        multiples.append(grading[-1] / statistics.mean(yardsticks[-4:]))
    report = {
        "machine": machine(),
        "lab": LAB,
        "bound": f"{BOUND} x import torch for each submission",
        "import torch": rounded(yardsticks),
        "grade": {
            "submissions": submissions,
            "at a time": JOBS,
            "sandbox": "bubblewrap, one each",
            "seconds each": rounded(grading),
            "multiple of import torch": rounded(multiples),
        },
    }
    if for_nbgrader:
        before = import_torch()
        each = autograde(folder / "nbgrader", lab, klass, for_nbgrader) / for_nbgrader
        report["nbgrader autograde"] = {
            "submissions": for_nbgrader,
            "at a time": 1,
            "sandbox": "none",
            "seconds each": rounded([each]),
            "multiple of import torch": rounded([each / statistics.mean([before, import_torch()])]),
        }
    return report


def rounded(values: list[float]) -> dict:
    return {"median": round(statistics.median(values), 3), "all": [round(value, 3) for value in values]}


def make_class(folder: Path, lab: paths.Lab, count: int) -> Path:
    """`count` notebooks: every second one right, the others with a wrong answer of the bank each."""
    wrong = sorted(lab.bank.glob("*/wrong_*.py"))
    for number in range(count):
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
            each, multiple = row["seconds each"]["median"], row["multiple of import torch"]["median"]
            numbers = f"{row['submissions']:>12}{each:>14.2f}{multiple:>16.2f}"
            lines.append(f"{name:22}{numbers}   {row['at a time']} at a time, sandbox: {row['sandbox']}")
    lines.append(f"import torch: {report['import torch']['median']:.2f} s (median). Bound: {report['bound']}.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
