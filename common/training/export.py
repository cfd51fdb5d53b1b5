"""Weights out: what a training leaves for use, in half precision."""

import copy
import os
import shutil
from pathlib import Path

import torch

from common.training.errors import TrainingError


def export(model: torch.nn.Module, state: dict[str, torch.Tensor], folder: Path) -> Path:
    """Save weights in float16 with the model's own `save_pretrained`, in one step: a kill leaves old or new weights.

    Args:
        model: an unsharded model of that shape; it is left alone.
        state: its weights, whole tensors.
        folder: where `config.json` and the safetensors file go; replaced if it is there.

    Raises:
        TrainingError: a weight is beyond the range of float16.
    """
    largest = torch.finfo(torch.float16).max
    for name, tensor in state.items():
        if tensor.is_floating_point() and not tensor.abs().max() <= largest:
            raise TrainingError(f"The weight {name} reaches {tensor.abs().max():.3g}: float16 ends at {largest:.0f}.")
    copied = copy.deepcopy(model)
    copied.load_state_dict(state)
    partial, old = folder.with_name(f"{folder.name}.partial"), folder.with_name(f"{folder.name}.old")
    for leftover in (partial, old):
        shutil.rmtree(leftover, ignore_errors=True)
    copied.half().save_pretrained(partial)
    if folder.exists():
        os.replace(folder, old)
    os.replace(partial, folder)
    shutil.rmtree(old, ignore_errors=True)
    return folder
