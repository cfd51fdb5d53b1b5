"""Progress bars with the time left, where someone looks: in a terminal or a notebook, and nowhere else.

A bar writes to standard error, so that a program's output stays clean. In a notebook that would be shown on red ground,
like a failure; there it writes to standard output.
"""

import sys
from collections.abc import Iterable

from tqdm import tqdm


def progress_bar(iterable: Iterable | None = None, *, always: bool = False, **options) -> tqdm:
    """A tqdm bar: `for x in progress_bar(items, desc="reading")`, or `with progress_bar(total=n) as bar`.

    Args:
        iterable: what is gone through; None for a bar that is moved by `update`.
        always: show it in a log file too, a line every half minute.
        options: of `tqdm.tqdm`; `disable=True` hides it, None is as if it were not given.
    """
    here = in_notebook()
    if options.get("disable") is None:
        options.pop("disable", None)  # then TQDM_DISABLE counts, which the build of notebooks sets
        if not here and not always:
            options["disable"] = None  # tqdm looks whether it is a terminal
    if here:
        look = {"file": sys.stdout, "ncols": 90}
    else:
        look = {"mininterval": 0.1 if sys.stderr.isatty() else 30, "dynamic_ncols": True}
    return tqdm(iterable, **look | options)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    return hasattr(shell, "kernel")
