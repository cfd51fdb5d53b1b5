"""Shards: samples in files that are there whole or not at all, each with its own checksum.

A shard is one safetensors file. It is written under another name, forced to the disk, and only then given its own name,
in one step that the file system does whole or not at all. When it is opened it is read once and compared with the
checksum in its header; after that its rows are read where they lie, mapped into memory.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from common import files
from common.data.download import DataError

OPEN_SHARDS = 64  # kept open at a time
DIGITS = 64  # of a checksum


class DamagedShard(DataError):
    """A shard cannot be read, or is not what was written."""


class Shard:
    """An open shard.

    Attributes:
        about: what was said of it when it was written.
        texts: name -> one text per sample.
        names: of its tensors, each with one row per sample.
    """

    def __init__(self, handle, about: dict, texts: dict[str, list[str]]):
        self._handle, self.about, self.texts, self.names = handle, about, texts, sorted(handle.keys())

    def __len__(self) -> int:
        return self._handle.get_slice(self.names[0]).get_shape()[0]

    def rows(self, name: str, rows: Sequence[int]) -> torch.Tensor:
        """Some rows of a tensor, `(len(rows), ...)`, in the order asked for."""
        lying = self._handle.get_slice(name)
        return torch.cat([lying[row : row + 1] for row in rows])


def write_shard(path: Path, tensors: Mapping[str, torch.Tensor], texts: Mapping[str, Sequence[str]], about: Mapping):
    """Write a shard whole, or leave what was there.

    Args:
        path: of the finished file; its folder is there.
        tensors: name -> `(N, ...)`.
        texts: name -> N texts.
        about: what else is to be said of it, for JSON.

    Raises:
        DataError: the disk is full, or the folder cannot be written.
    """
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    words = json.dumps({"about": dict(about), "texts": {name: list(lines) for name, lines in texts.items()}})
    partial = path.with_suffix(".partial")
    try:
        files.demand_room(path.parent, sum(tensor.nbytes for tensor in tensors.values()) + len(words) + 2**16)
        # One entry only: of several, safetensors would change the order from file to file.
        save_file(tensors, partial, metadata={"shard": checksum(tensors, words) + words})
        files.put_in_place(partial, path)
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise _explained(error, path) from error


def open_shard(path: Path) -> Shard:
    """A shard that is what was written; it is read once to know that, and then kept open.

    Raises:
        DamagedShard: it cannot be read, or its checksum differs.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise DamagedShard(f"{path.name} in {path.parent} cannot be read: {error}") from error
    return _open(path, found.st_mtime_ns, found.st_size, found.st_ino)


def write_text(path: Path, text: str) -> None:
    """Write a small file whole, or leave what was there.

    Raises:
        DataError: the disk is full, or the folder cannot be written.
    """
    try:
        files.write_text(path, text)
    except OSError as error:
        raise _explained(error, path) from error


def checksum(tensors: Mapping[str, torch.Tensor], words: str) -> str:
    """SHA-256 over the names, types, shapes and bytes of tensors, and over some words."""
    digest = hashlib.sha256(words.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


@lru_cache(maxsize=OPEN_SHARDS)
def _open(path: Path, *stamp: int) -> Shard:
    """`stamp` is the file's own (time, size, number): another file under the name is opened anew."""
    try:
        handle = safe_open(path, framework="pt")
        header = handle.metadata() or {}
        tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
        expected, words = header["shard"][:DIGITS], header["shard"][DIGITS:]
        content = json.loads(words)
        about, texts = dict(content["about"]), dict(content["texts"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DamagedShard(f"{path.name} in {path.parent} cannot be read: {error}") from error
    if checksum(tensors, words) != expected:
        raise DamagedShard(f"{path.name} in {path.parent} is not what was written: its checksum differs")
    return Shard(handle, about, texts)


def _explained(error: Exception, path: Path) -> DataError:
    if files.is_full(error):
        return DataError(
            f"The disk is full: {path.name} does not fit into {path.parent} ({error}). What was there is as it was. "
            "Make room and do the same again: it goes on from here."
        )
    return DataError(f"{path.name} cannot be written into {path.parent}: {error}. What was there is as it was.")
