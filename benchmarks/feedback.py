"""How long a learner waits for a verdict on lab 01.2, beside what importing torch takes on the same machine.

    python benchmarks/feedback.py [--rounds 5]

Four things are timed in turn, round after round, so that a busy machine slows all of them alike:

    import torch        python -c "import torch", the yardstick
    flipbook check      the whole lab on the command line, in a fresh process
    check in notebook   the slowest exercise's check in a running kernel, after the first
    flipbook watch      from saving the notebook to its verdict

The table shows medians and the bound of each; the numbers go to benchmarks/results/feedback.json.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "feedback.json"
LAB, PHASE, STEM = "01.2", "01_tensors", "02_frame_extractor"
QUIET_IMPORT = 1.25  # seconds of `import torch` on the two quiet cores for which the bounds in seconds were set
BOUNDS = {"flipbook check": "2 x import torch", "check in notebook": "0.5 s", "flipbook watch": "1.5 s"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    report = measure(parser.parse_args().rounds)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    print(table(report))
    sys.exit(bool(missed(report)))


def measure(rounds: int) -> dict:
    """Seconds of each of the four, `rounds` times."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        environment = course_in(Path(folder))
        kernel = stack.enter_context(Kernel(environment))
        watcher = stack.enter_context(Watcher(environment))
        timed = {
            "import torch": lambda: seconds_of([sys.executable, "-c", "import torch"], environment),
            "flipbook check": lambda: seconds_of([sys.executable, "-m", "common.course", "check", LAB], environment),
            "check in notebook": kernel.slowest_check,
            "flipbook watch": watcher.save,
        }
        seconds = {name: [] for name in timed}
        for _ in range(rounds):
            for name, run in timed.items():
                seconds[name].append(round(run(), 3))
    medians = {name: round(statistics.median(values), 3) for name, values in seconds.items()}
    return {"machine": machine(), "lab": LAB, "bounds": BOUNDS, "medians": medians, "seconds": seconds}


def missed(report: dict, busy: bool = False) -> list[str]:
    """The bounds that were not met, in words.

    With `busy`, bounds in seconds stretch with torch's own import time: for a machine that does other work as well.
    """
    medians = report["medians"]
    stretch = max(1.0, medians["import torch"] / QUIET_IMPORT) if busy else 1.0
    limits = {"check in notebook": 0.5 * stretch, "flipbook watch": 1.5 * stretch}
    limits["flipbook check"] = 2 * medians["import torch"]
    return [f"{name}: {medians[name]} s > {limit:.3f} s" for name, limit in limits.items() if medians[name] > limit]


def table(report: dict) -> str:
    lines = [report["machine"], f"{'':20} {'median':>8}   {'x torch':>8}   bound"]
    for name, median in report["medians"].items():
        ratio = median / report["medians"]["import torch"]
        lines.append(f"{name:20} {median:6.2f} s   {ratio:8.2f}   {BOUNDS.get(name, '')}")
    return "\n".join([*lines, *[f"missed: {line}" for line in missed(report)]])


def machine() -> str:
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {platform.system()}, Python {platform.python_version()}, torch {torch.__version__}"


def course_in(folder: Path) -> dict:
    """A copy of the course with the solved lab as the learner's notebook, and the environment that points there."""
    shutil.copytree(ROOT / "solutions", folder / "solutions")
    shutil.copytree(ROOT / "tests" / "labs", folder / "tests" / "labs", ignore=shutil.ignore_patterns("answers"))
    (folder / "datasets").symlink_to(ROOT / "datasets")
    notebook = work(folder)
    notebook.parent.mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / PHASE / f"{STEM}.ipynb", notebook)
    return os.environ | {"FLIPBOOK_ROOT": str(folder), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def work(folder) -> Path:
    return Path(folder) / "work" / PHASE / f"{STEM}.ipynb"


def seconds_of(command: list[str], environment: dict) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


class Kernel:
    """A Jupyter kernel in which the lab's setup and exercise cells were run, and each check once."""

    def __init__(self, environment: dict):
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(env=environment, cwd=environment["FLIPBOOK_ROOT"])
        cells = json.loads(work(environment["FLIPBOOK_ROOT"]).read_text())["cells"]
        self.checks = []
        for cell in (cell for cell in cells if cell["cell_type"] == "code"):
            tags, source = set(cell["metadata"].get("tags", [])), "".join(cell["source"])
            if tags & {"setup", "exercise"}:
                self.execute(source)
            elif "check" in tags:
                self.checks.append(source)
        for source in self.checks:
            self.execute(source)

    def execute(self, source: str) -> float:
        """Seconds from sending a cell to its reply; the outputs have come by then."""
        began = time.perf_counter()
        reply = self.client.execute_interactive(source, timeout=120, output_hook=lambda message: None)
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"{source}\n{reply['content'].get('evalue')}")
        return time.perf_counter() - began

    def slowest_check(self) -> float:
        return max(self.execute(source) for source in self.checks)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Watcher:
    """`flipbook watch` on the copy."""

    def __init__(self, environment: dict):
        command = [sys.executable, "-m", "common.course", "watch"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        self.notebook, self.said, self.heard = work(environment["FLIPBOOK_ROOT"]), [], threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()
        self._wait_for("watching")
        time.sleep(0.5)  # until the file system's notifications begin

    def _listen(self):
        for line in self.process.stdout:
            with self.heard:
                self.said.append(line)
                self.heard.notify_all()

    def _wait_for(self, words: str):
        with self.heard:
            if not self.heard.wait_for(lambda: any(words in line for line in self.said), timeout=60):
                raise RuntimeError(f"flipbook watch did not say {words!r}: {self.said}")

    def save(self) -> float:
        """Save as JupyterLab does, into a neighbour and then over the old file; seconds until the verdict."""
        half = self.notebook.with_name(".~save.ipynb")
        half.write_text(self.notebook.read_text())
        with self.heard:
            self.said.clear()
        began = time.perf_counter()
        half.replace(self.notebook)
        self._wait_for("tests pass")
        return time.perf_counter() - began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)


if __name__ == "__main__":
    main()
