"""What is on the learner's screen, and whether it is what was run: a check judges code, not a memory of it.

JupyterLab's extension of the course tells the kernel, just before a check cell runs, what the exercise's cell holds on
the screen (`shown`). Other front ends tell nothing, and then nothing is compared.
"""

import re

_on_screen: dict[str, str] = {}


def shown(exercise: str, source: str) -> None:
    """The front end's word: this is on the screen now."""
    _on_screen[exercise] = source


def changed_since_run(exercise: str, shell) -> bool:
    """Whether the exercise's cell was edited after its last run. What the front end said is used up by asking.

    Args:
        exercise: its name.
        shell: IPython's shell, whose history holds what was run.
    """
    source = _on_screen.pop(exercise, None)
    ran = None if source is None else last_run(exercise, shell)
    return ran is not None and _plain(ran) != _plain(source)


def last_run(exercise: str, shell) -> str | None:
    """The last cell that was run and defines this name; None where none was."""
    history = getattr(getattr(shell, "history_manager", None), "input_hist_raw", None) or []
    defines = re.compile(rf"(?m)^\s*(?:async\s+def|def|class)\s+{re.escape(exercise)}\b|^{re.escape(exercise)}\s*=[^=]")
    return next((text for text in reversed(history) if defines.search(text)), None)


def _plain(source: str) -> list[str]:
    """Lines without the blanks at their ends: those change nothing."""
    return [line.rstrip() for line in source.strip().splitlines()]
