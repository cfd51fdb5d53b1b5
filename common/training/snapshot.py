"""The whole state of a training run as named tensors: weights, their running mean, the optimiser's memory.

torch's distributed state dictionaries give the same names and whole tensors for one process, several, and weights
that are sharded over processes, so that a checkpoint of one goes on under another.
"""

from contextlib import nullcontext
from typing import Any

import torch
from torch.distributed.checkpoint import state_dict as distributed

from common.training.ema import Ema

WHOLE = distributed.StateDictOptions(full_state_dict=True, cpu_offload=True)


def take(model: torch.nn.Module, optimizer: torch.optim.Optimizer, ema: Ema) -> dict[str, torch.Tensor]:
    """Every tensor of the run, on the CPU: `model.…`, `ema.…` and `optimizer.…`.

    All processes call it; the first one gets the tensors, the others may get none.
    """
    tensors = {f"model.{name}": tensor for name, tensor in weights(model).items()}
    tensors |= {f"ema.{name}": tensor for name, tensor in weights(model, ema).items()}
    memory: Any = distributed.get_optimizer_state_dict(model, optimizer, options=WHOLE).get("state", {})
    for parameter, entries in memory.items():
        tensors |= {f"optimizer.{parameter}/{name}": tensor for name, tensor in entries.items()}
    return tensors


def restore(tensors: dict[str, torch.Tensor], model: torch.nn.Module, optimizer: torch.optim.Optimizer, ema: Ema):
    """Put back what `take` took. All processes call it, each with all the tensors.

    Raises:
        RuntimeError: names or shapes are not those of this model.
    """
    with ema.applied_to(model):
        set_weights(model, _part(tensors, "ema."))
    set_weights(model, _part(tensors, "model."))
    names = {parameter: name for name, parameter in model.named_parameters()}
    groups = [
        group | {"params": [names[parameter] for parameter in group["params"]]} for group in optimizer.param_groups
    ]
    memory: dict[str, Any] = {}
    for name, tensor in _part(tensors, "optimizer.").items():
        parameter, _, entry = name.rpartition("/")
        memory.setdefault(parameter, {})[entry] = tensor
    if memory.keys() != {name for group in groups for name in group["params"]}:
        raise RuntimeError("the optimiser's memory is not that of this model")
    distributed.set_optimizer_state_dict(model, optimizer, {"state": memory, "param_groups": groups}, options=WHOLE)


def weights(model: torch.nn.Module, ema: Ema | None = None) -> dict[str, torch.Tensor]:
    """The model's weights, or with `ema` their running mean: whole tensors, on the CPU.

    All processes call it; the first one gets them, the others may get none.
    """
    with ema.applied_to(model) if ema is not None else nullcontext():
        state: Any = distributed.get_model_state_dict(model, options=WHOLE)
        return {name: tensor.detach().clone() for name, tensor in state.items()}


def set_weights(model: torch.nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Load whole tensors into a model, sharded or not.

    Raises:
        RuntimeError: names or shapes are not those of this model.
    """
    distributed.set_model_state_dict(model, dict(state), options=WHOLE)


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
