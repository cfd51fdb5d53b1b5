"""What a run rests on: the preset in force, the device, the dtype, the seed, and the folder for caches."""

import os
import random
import sys
from pathlib import Path

import numpy as np
import torch

PRESETS = ("ci", "cpu", "gpu")


def preset() -> str:
    """The operating point in force: `ci` (seconds), `cpu` (minutes, the default) or `gpu`, from `FLIPBOOK_PRESET`.

    Raises:
        ValueError: the variable holds another word.
    """
    name = os.environ.get("FLIPBOOK_PRESET") or "cpu"
    if name not in PRESETS:
        raise ValueError(f"FLIPBOOK_PRESET is {name!r}; it can be {', '.join(PRESETS)}")
    return name


def device() -> torch.device:
    """Where tensors live: an accelerator under the `gpu` preset, else the CPU.

    Raises:
        RuntimeError: the preset is `gpu` and this machine has no accelerator that torch can use.
    """
    if preset() != "gpu":
        return torch.device("cpu")
    if not torch.accelerator.is_available():
        raise RuntimeError("FLIPBOOK_PRESET is 'gpu', but torch sees no accelerator here. Use FLIPBOOK_PRESET=cpu.")
    return torch.accelerator.current_accelerator()


def dtype() -> torch.dtype:
    """What models compute in: bfloat16 on an accelerator, float32 on the CPU."""
    return torch.float32 if device().type == "cpu" else torch.bfloat16


def seed_everything(seed: int) -> torch.Generator:
    """Seed Python, numpy and torch, and return a fresh CPU generator with the same seed.

    Pass the generator to whatever draws numbers: then the result depends on nothing else that draws them too.

    Args:
        seed: a whole number from 0 to 2**32 - 1 (numpy's range).

    Raises:
        ValueError: the seed is out of that range.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be from 0 to {2**32 - 1}, got {seed}")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def limit_threads(num_threads: int | None = None) -> int:
    """Let torch use this many CPU threads, and return the number now in force.

    None means one thread under the `ci` preset (where several processes share the machine) and no change otherwise.

    Raises:
        ValueError: `num_threads` is below 1.
    """
    if num_threads is None and preset() == "ci":
        num_threads = 1
    if num_threads is not None:
        if num_threads < 1:
            raise ValueError(f"num_threads must be at least 1, got {num_threads}")
        torch.set_num_threads(num_threads)
    return torch.get_num_threads()


def cache_dir() -> Path:
    """Where files are kept that can be had again: `FLIPBOOK_CACHE`, or the platform's folder for caches.

    It need not exist yet.
    """
    if chosen := os.environ.get("FLIPBOOK_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "flipbook"
