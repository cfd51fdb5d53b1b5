"""One training to a folder at a time."""

from contextlib import contextmanager
from pathlib import Path

from common.training.errors import TrainingError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextmanager
def locked(folder: Path, wanted: bool = True):
    """Hold a folder while a training runs in it. The lock of a process that was killed is gone with it.

    Args:
        folder: of the training; made if it is not there.
        wanted: False in the processes that only help: then nothing is held.

    Raises:
        TrainingError: another process holds it.
    """
    if not wanted or fcntl is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TrainingError(f"Another training runs in {folder}. Let it end, or choose another folder.") from None
        yield
