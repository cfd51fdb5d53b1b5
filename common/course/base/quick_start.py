"""Starting quickly: heavy packages are imported without the garbage collector looking on."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Import heavy packages inside: the collector pauses, and does not look at what has come in again.

    torch and diffusers make a million objects that stay. Looking through them again and again while they come in takes
    a fifth of the processor time of the start.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
