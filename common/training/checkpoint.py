"""Checkpoints that can be trusted: whole or not there at all, checksummed, the last good ones kept.

A checkpoint is one safetensors file. It is written under another name, forced to the disk, and only then given its
own name, in one step that the file system does whole or not at all. So a kill at any moment leaves the checkpoints
before it as they were. The tensors' checksum is in the file's header and is compared when it is read.
"""

import contextlib
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from common.files import demand_room, is_full, put_in_place
from common.training.errors import TrainingError

KEPT = 2  # the newest, and the one before it should the newest turn out damaged
SUFFIX = ".safetensors"
NAME = re.compile(r"step_(\d{8,})")  # before the suffix; files with any other name are the user's own


class DamagedCheckpoint(Exception):
    """A checkpoint cannot be read, or is not what was written."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint: a training run at the end of a step.

    Attributes:
        step: steps done.
        tensors: the state, see `common.training.snapshot`.
        state: what else is known of the run then, as JSON would give it back.
    """

    step: int
    tensors: dict[str, torch.Tensor]
    state: dict[str, Any]


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint into a folder and forget the oldest there, so that `KEPT` remain.

    Raises:
        TrainingError: the disk is full, or the folder cannot be written. Earlier checkpoints are as they were.
    """
    target = folder / f"step_{checkpoint.step:08d}{SUFFIX}"
    partial = target.with_suffix(".partial")
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()}
    state = json.dumps({"step": checkpoint.step, **checkpoint.state}, sort_keys=True)
    header = {"state": state, "checksum": checksum(tensors, state)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        demand_room(folder, sum(tensor.nbytes for tensor in tensors.values()) + 100 * len(tensors) + 2**16)
        save_file(tensors, partial, metadata=header)
        put_in_place(partial, target)
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise _explained(error, folder, checkpoint.step) from error
    for old in files(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return target


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and compare it with its checksum.

    Raises:
        DamagedCheckpoint: it cannot be read, or differs from what was written.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        state = json.loads(header["state"])
        step = state.pop("step")
    except (OSError, SafetensorError, KeyError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise DamagedCheckpoint(f"{path.name} cannot be read: {error}") from error
    if checksum(tensors, header["state"]) != header.get("checksum"):
        raise DamagedCheckpoint(f"{path.name} is not what was written: its checksum differs")
    return Checkpoint(step, tensors, state)


def load_newest(folder: Path, say=print) -> Checkpoint | None:
    """The newest checkpoint of a folder that is whole; None where there is none at all.

    Args:
        folder: of one training run.
        say: called with a sentence for each damaged checkpoint that is passed over.

    Raises:
        TrainingError: there are checkpoints, and every one is damaged.
    """
    found = files(folder)
    for path in reversed(found):
        try:
            return load(path)
        except DamagedCheckpoint as error:
            say(f"{error}. Going back to the one before it.")
    if found:
        raise TrainingError(
            f"None of the {len(found)} checkpoints in {folder} can be read. Delete that folder to begin anew."
        )
    return None


def files(folder: Path) -> list[Path]:
    """The finished checkpoints of a folder, oldest first.

    A name counts only if it is exactly one that `save` gives: `step_00000012_best.safetensors` is a user's copy.
    """
    return sorted(_named(folder, SUFFIX), key=_step_of)


def checksum(tensors: dict[str, torch.Tensor], state: str) -> str:
    """SHA-256 over the names, types, shapes and bytes of the tensors, and over the state."""
    digest = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _explained(error: Exception, folder: Path, step: int) -> TrainingError:
    kept = files(folder)
    safe = f"The checkpoint {kept[-1].name} before it is as it was" if kept else "There is no earlier checkpoint"
    if is_full(error):
        return TrainingError(
            f"The disk is full: the checkpoint of step {step} does not fit into {folder} ({error}). {safe}. "
            "Make room and give the same command again."
        )
    return TrainingError(f"The checkpoint of step {step} cannot be written into {folder}: {error}. {safe}.")


def _sweep(folder: Path) -> None:
    """Delete what a killed training left half written."""
    for partial in _named(folder, ".partial"):
        partial.unlink(missing_ok=True)


def _named(folder: Path, suffix: str) -> list[Path]:
    """The files that this module named itself, in no order."""
    found = folder.glob(f"step_*{suffix}")
    return [path for path in found if path.is_file() and path.name == f"step_{_step_of(path):08d}{suffix}"]


def _step_of(path: Path) -> int:
    """The step in a file's name, or -1 where the name is not one of a checkpoint."""
    match = NAME.fullmatch(path.stem)
    return int(match[1]) if match else -1
