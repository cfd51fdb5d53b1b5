"""Which latents a folder holds: of which data, by which encoder. It is in the folder's `cache.json`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import torch

from common.data.download import DataError
from common.data.shards import write_text

FILE = "cache.json"
COUNT = "num_samples"  # finished; everything else in the file says which cache it is


def data_key(data: Any) -> str:
    """The name of a data set: its `key`, or a dataclass's own words, which give all its fields.

    Raises:
        ValueError: it has neither.
    """
    if isinstance(getattr(data, "key", None), str):
        return data.key
    if is_dataclass(data):
        return repr(data)
    raise ValueError(f"{type(data).__name__} has no `key` that says which samples it gives, and is no dataclass")


def weights_key(model: torch.nn.Module) -> str:
    """The name of a model with these weights: its class, and a checksum of its weights and its config."""
    config = {name: value for name, value in dict(getattr(model, "config", {})).items() if not name.startswith("_")}
    digest = hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return f"{type(model).__name__} {digest.hexdigest()[:16]}"


def read_about(folder: Path) -> dict | None:
    """What the folder's `cache.json` says, or None where there is none.

    Raises:
        DataError: it cannot be read.
    """
    try:
        about = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{folder / FILE} cannot be read: {error}. Delete the folder to begin anew.") from error
    if not _is_about(about):
        raise DataError(f"{folder / FILE} is not what `fill` wrote. Delete the folder to begin anew.")
    return about


def _is_about(about: Any) -> bool:
    """Whether this has the fields, and the types, that `fill` writes."""
    return (
        isinstance(about, dict)
        and all(isinstance(about.get(name), str) for name in ("data", "encoder", "dtype"))
        and all(type(about.get(name)) is int for name in ("shard_size", COUNT))
        and about["shard_size"] >= 1
        and about[COUNT] >= 0
        and isinstance(about.get("shape"), list)
        and all(type(size) is int for size in about["shape"])
    )


def write_about(folder: Path, about: Mapping) -> None:
    """Write `cache.json`, whole or not at all.

    Raises:
        DataError: the disk is full, or the folder cannot be written.
    """
    write_text(folder / FILE, json.dumps(about, indent=1, sort_keys=True) + "\n")


def demand_same(saved: Mapping, present: Mapping, folder: Path) -> None:
    """
    Raises:
        DataError: what is present differs from what was saved; the message says in what.
    """
    differing = [name for name in present if saved.get(name) != present[name]]
    if differing:
        lines = [f"  {name}: {saved.get(name)!r} there, {present[name]!r} now" for name in differing]
        raise DataError(
            f"{folder} holds other latents:\n" + "\n".join(lines) + "\n"
            "Choose another folder for these, or delete that one. Nothing was changed."
        )


def digest(about: Mapping) -> str:
    """What every shard says of its cache: all but the number of samples, so that a cache can grow."""
    named = {name: value for name, value in about.items() if name != COUNT}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]
