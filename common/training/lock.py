"""One training run per folder at a time."""

from contextlib import contextmanager
from pathlib import Path

from common import files
from common.training.errors import TrainingError


@contextmanager
def locked(folder: Path, wanted: bool = True):
    """Hold a folder while a run is in it. The lock of a process that was killed is gone with it.

    Args:
        folder: of the run; made if it is not there.
        wanted: False in the processes that only help: then nothing is held.

    Raises:
        TrainingError: another process holds it.
    """
    if not wanted:
        yield
        return
    with files.held(folder) as ours:
        if not ours:
            raise TrainingError(f"Another training run is using {folder}. Let it end, or choose another folder.")
        yield
