"""Weights out: what a training run leaves for use, in half precision."""

import copy
import os
import shutil
from pathlib import Path

import torch
from diffusers.models.modeling_utils import ModelMixin
from safetensors.torch import load_file

from common.training.errors import TrainingError


def export(model: ModelMixin, state: dict[str, torch.Tensor], folder: Path) -> Path:
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
        if tensor.is_floating_point() and tensor.numel() and not tensor.abs().max() <= largest:
            raise TrainingError(f"The weight {name} reaches {tensor.abs().max():.3g}: float16 ends at {largest:.0f}.")
    copied = copy.deepcopy(model)
    copied.load_state_dict(state)
    # Hidden names: a user's own copy may well be called `weights.old`.
    partial, old = folder.with_name(f".{folder.name}.partial"), folder.with_name(f".{folder.name}.old")
    for leftover in (partial, old):
        shutil.rmtree(leftover, ignore_errors=True)
    copied.half()
    copied.save_pretrained(partial)
    if folder.exists():
        os.replace(folder, old)
    os.replace(partial, folder)
    shutil.rmtree(old, ignore_errors=True)
    return folder


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The state dict that `export`, or any `save_pretrained`, left in a folder, in float32.

    Raises:
        ValueError: the folder does not hold one safetensors file.
    """
    found = sorted(Path(folder).glob("*.safetensors"))
    if len(found) != 1:
        raise ValueError(f"{folder} holds {len(found)} safetensors files; weights are one")
    return {name: t.float() if t.is_floating_point() else t for name, t in load_file(found[0]).items()}
