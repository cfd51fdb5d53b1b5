"""Files that are there whole or not at all, folders held by one process, and one sentence for a disk that refuses.

A file is written under another name, forced to the disk, and then renamed, which a file system does whole or not at
all. So a full disk, a kill or a power cut leaves what was there before. Standard library only.
"""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
# The last two: a file has the name that a folder should have.
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST)


def reason(error: OSError) -> str:
    """What the system says of an error, as the end of a sentence. Some libraries raise one with a text alone."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def write_text(path: Path, text: str) -> None:
    """Put `text` into `path` in one step; its folder is made. An old file keeps its permissions."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` into `path` in one step; its folder is made. An old file keeps its permissions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:80]}.", suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        # mkstemp makes files that only their owner reads; these are ordinary files.
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        put_in_place(Path(name), path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def put_in_place(partial: Path, path: Path) -> None:
    """Force a file to the disk and give it its name, so that the name never belongs to half a file."""
    to_disk(partial)
    os.replace(partial, path)
    to_disk(path.parent)


def to_disk(path: Path) -> None:
    """Make sure that a file, or a folder's list of names, is on the disk and not only on its way."""
    if path.is_dir() and os.name == "nt":  # Windows cannot open a folder, and does not need to
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network disks cannot sync a folder
            raise
    finally:
        os.close(handle)


def demand_room(folder: Path, needed: int) -> None:
    """Before a large file is begun.

    Raises:
        OSError: fewer than `needed` bytes are free; `is_full` knows it.
    """
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, f"{needed / 1e6:.1f} MB are needed", str(folder))


def is_full(error: BaseException) -> bool:
    """Whether it was for want of room that something could not be written (safetensors says so in words only)."""
    return getattr(error, "errno", None) in FULL or "os error 28" in str(error)


def is_refused(error: BaseException) -> bool:
    """Whether the disk refused a write: no room, read-only, or another user's."""
    return is_full(error) or getattr(error, "errno", None) in READ_ONLY


def sentence(error: OSError) -> str:
    """What a person should know of a refused write, and what to do about it."""
    place = error.filename2 or error.filename or "the folder"
    if is_full(error):
        return f"The disk is full ({place}). What was there is as it was. Make room and do the same again."
    return (
        f"{place} cannot be written ({reason(error)}). If it is in the course's folder, clone the course into a "
        "folder of your own; otherwise name another place."
    )


def try_lock(handle) -> bool:
    """Try to hold an open file; True when it is ours, or where the file system knows no locks.

    The lock of a process that was killed is gone with it.
    """
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        return error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
    return True


@contextlib.contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Hold a folder by its `.lock`; it is made if it is not there. Gives whether it is ours.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        yield try_lock(handle)
