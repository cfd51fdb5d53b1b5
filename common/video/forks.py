"""What becomes of open decoders when the process forks, as a DataLoader's workers do."""

import ctypes
import os
import weakref

_DECODERS = weakref.WeakSet()


def keep_over_fork(decoder) -> None:
    """Registers a decoder: in the child of every fork, its `abandon()` is called before anything else runs there."""
    _DECODERS.add(decoder)


def keep_for_ever(thing) -> None:
    """Makes an object immortal: its destructor never runs, not even when the interpreter ends."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _abandon_all() -> None:
    for decoder in list(_DECODERS):
        decoder.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
