"""Runs a notebook as the build and the tests run it: small preset, one thread, nothing that changes from run to run."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from common.course.base import paths
from common.course.base.paths import CourseError
from common.course.building import seconds
from common.course.building.notebooks import Draft
from common.course.source.library import library_root

CELL_TIMEOUT = 180  # seconds; a whole notebook has 30 under the ci preset
LEARNER_TIMEOUT = 3600  # under the preset that learners run
MAX_BYTES = 600_000
WIDGET = "application/vnd.jupyter.widget-view+json"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
FRAME = re.compile(r"Cell In\[(\d+)\], line (\d+)")


def static_environment(preset: str = "ci") -> dict[str, str]:
    """The environment in which solutions run, for the build and for nbval alike."""
    here, library = paths.root(), library_root()
    search = [str(library)] if library == here else []
    search += [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    return {
        **os.environ,
        "FLIPBOOK_ROOT": str(here),
        "FLIPBOOK_PRESET": preset,
        "FLIPBOOK_STRICT": "1",
        "OMP_NUM_THREADS": "1",
        "TQDM_DISABLE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONWARNINGS": "ignore",
        "PYTHONPATH": os.pathsep.join(search),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }


def execute(draft: Draft, flipbook: dict, on_cell: Callable[[], None] = lambda: None) -> dict:
    """Runs the draft in a fresh kernel and returns the notebook with its outputs.

    Args:
        draft: the cells to run.
        flipbook: the notebook's `flipbook` metadata.
        on_cell: called after each cell, for a progress bar.

    Raises:
        CourseError: a cell failed, took too long, or printed what must not be stored.
    """
    import nbformat

    notebook = nbformat.from_dict(draft.notebook(flipbook))
    taken = _run(draft, notebook, static_environment(), CELL_TIMEOUT, on_cell)
    seconds.keep(draft.path, "ci", {name: (taken[index], False) for index, name in seconds.names(notebook["cells"])})
    notebook.metadata = nbformat.from_dict(draft.notebook(flipbook)["metadata"])  # drops what the kernel added
    clean(draft, notebook)
    return notebook


def measure(draft: Draft, flipbook: dict, on_cell: Callable[[], None] = lambda: None) -> bool:
    """Runs the draft as learners do, keeps the seconds of its cells, and stores no output.

    Returns:
        whether the kept seconds have changed.

    Raises:
        CourseError: a cell failed or took too long.
    """
    import nbformat

    notebook = nbformat.from_dict(draft.notebook(flipbook))
    environment = static_environment(seconds.SHOWN)
    del environment["TQDM_DISABLE"]  # which cells have a progress bar?
    taken = _run(draft, notebook, environment, LEARNER_TIMEOUT, on_cell)
    cells = notebook["cells"]
    found = {name: (taken[index], seconds.showed_bar(cells[index])) for index, name in seconds.names(cells)}
    return seconds.keep(draft.path, seconds.SHOWN, found)


def _run(draft: Draft, notebook: dict, environment: dict, timeout: float, on_cell: Callable[[], None]) -> list[float]:
    """Fills in the notebook's outputs; returns the core-seconds of each cell, the kernel's start in the first one."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=40", "--HistoryManager.hist_file=:memory:"],
        resources={"metadata": {"path": str(draft.path.parent)}},
    )
    position, spent, taken = [0], [0.0], [0.0] * len(notebook["cells"])

    def executed(cell, cell_index, execute_reply):
        now = seconds.processor_time(client.km.provisioner.pid)
        taken[cell_index], spent[0] = now - spent[0], now
        on_cell()

    client.on_cell_start = lambda cell, cell_index: position.__setitem__(0, cell_index)
    client.on_cell_executed = executed
    try:
        client.execute(env=environment)
    except CellExecutionError as error:
        raise _failure(draft, notebook, position[0], f"{error.ename}: {ANSI.sub('', error.evalue)}") from None
    except CellTimeoutError:
        raise _failure(draft, notebook, position[0], f"it ran for more than {timeout} seconds") from None
    except DeadKernelError:
        raise _failure(draft, notebook, position[0], "the kernel died (out of memory, or a crash in C)") from None
    return taken


def _failure(draft: Draft, notebook: dict, index: int, reason: str) -> CourseError:
    return CourseError(
        f"{draft.label}: cell {index + 1} ({cell_name(notebook['cells'][index])}) failed.\n"
        f"  {reason.strip()}\n  {_failing_line(draft, notebook, index)}"
    )


def cell_name(cell: dict) -> str:
    """What a message calls a cell: its exercise, its check, or its first line."""
    for role, name in cell["metadata"].get("flipbook", {}).items():
        return f"{role} {name}"
    return next((line.strip() for line in cell["source"].splitlines() if line.strip()), "empty")[:60]


def _failing_line(draft: Draft, notebook: dict, index: int) -> str:
    """The line of the source that was running: the innermost frame of the traceback that is in a cell."""
    outputs = notebook["cells"][index].get("outputs", [])
    errors = [output for output in outputs if output["output_type"] == "error"]
    frames = FRAME.findall(ANSI.sub("", "\n".join(errors[-1]["traceback"]))) if errors else []
    if frames:
        count, line = map(int, frames[-1])
        for number, cell in enumerate(notebook["cells"]):
            if cell.get("execution_count") == count:
                return draft.places[number](line)
    return draft.places[index](1)


def clean(draft: Draft, notebook: dict) -> None:
    """Takes out what belongs to this run alone, and refuses what a committed notebook must not hold."""
    private = [str(paths.root()), f"{Path.home()}{os.sep}"]
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"].pop("execution", None)
        if cell["cell_type"] != "code":
            continue
        cell["outputs"] = [output for output in cell["outputs"] if WIDGET not in output.get("data", {})]
        for text in _texts(cell["outputs"]):
            found = next((path for path in private if path in text), None)
            if found:
                raise CourseError(
                    f"{draft.label}: cell {number + 1} ({cell_name(cell)}) prints a path of this machine, {found}. "
                    f"Print the file's name alone.\n  {draft.places[number](1)}"
                )


def _texts(outputs: list[dict]):
    for output in outputs:
        yield output.get("text", "")
        yield from (value for kind, value in output.get("data", {}).items() if kind.startswith("text/"))
