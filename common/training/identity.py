"""Which training this is: what must be the same for one to go on from a checkpoint of another."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import torch

from common.training.checkpoint import checksum
from common.training.errors import TrainingError
from common.training.precision import has_bfloat16
from common.training.recipe import Recipe, Settings, decisive

FIRST_SAMPLE = "first sample"  # mean and spread of its tensors: the world itself, whatever its name says


def identity(
    recipe: Recipe,
    preset: str,
    stage: str,
    settings: Settings,
    precision: str,
    data: Any,
    weights: dict[str, torch.Tensor] | None,
) -> dict[str, Any]:
    """All that decides the outcome and can be named, as JSON would give it back.

    Args:
        recipe: that is trained.
        preset: it runs under.
        stage: of the recipe.
        settings: of the stage.
        precision: in force, "fp32" or "bf16".
        data: the recipe's; its `key` names the world, where it has one.
        weights: it begins with, or None for fresh ones.
    """
    named = {
        "recipe": recipe.name,
        "preset": preset,
        "stage": stage,
        "data": getattr(data, "key", None),
        FIRST_SAMPLE: list(moments(data.batch([settings.first_sample]))),
        "first weights": None if weights is None else checksum(weights, "")[:16],
        **decisive(settings),
        "precision": precision,
    }
    return json.loads(json.dumps(named))


def demand_same(saved: dict[str, Any], present: dict[str, Any], folder) -> None:
    """
    Raises:
        TrainingError: they differ; the message says in what.
    """
    differing = [name for name in {**saved, **present} if not _same(name, saved.get(name), present.get(name))]
    if differing:
        lines = [f"  {name}: {saved.get(name)!r} there, {present.get(name)!r} now" for name in differing]
        raise TrainingError(
            f"{folder} holds the checkpoints of another training run:\n" + "\n".join(lines) + "\n"
            "Go on with its settings, or choose another folder for this one. Nothing was changed."
        )


def moments(value: Any):
    """Mean and spread of each tensor in a batch, in order: two numbers that another world would not have."""
    if isinstance(value, torch.Tensor):
        numbers = value.detach().double()
        yield float(numbers.mean())
        yield float(numbers.std(correction=0))
    elif isinstance(value, Mapping):
        for name in sorted(value):
            yield from moments(value[name])
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from moments(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from moments(getattr(value, field.name))


def resolve_precision(precision: str, preset: str) -> str:
    """What "auto" means here: "bf16" where the processor has instructions for it, else "fp32"."""
    if precision != "auto":
        return precision
    return "bf16" if preset == "gpu" or has_bfloat16("cpu") else "fp32"


def _same(name: str, saved: Any, present: Any) -> bool:
    if name != FIRST_SAMPLE or saved is None or len(saved) != len(present):
        return saved == present
    # Another processor may round a pixel the other way; another world is further away than that.
    return all(math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-3) for a, b in zip(saved, present))
