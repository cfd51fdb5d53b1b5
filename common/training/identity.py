"""Which training this is: what must be the same for one to go on from a checkpoint of another."""

import json
from typing import Any

import torch

from common.training.checkpoint import checksum
from common.training.errors import TrainingError
from common.training.recipe import Recipe, Settings, decisive


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
    differing = [name for name in {**saved, **present} if saved.get(name) != present.get(name)]
    if differing:
        lines = [f"  {name}: {saved.get(name)!r} there, {present.get(name)!r} now" for name in differing]
        raise TrainingError(
            f"{folder} holds the checkpoints of another training:\n" + "\n".join(lines) + "\n"
            "Go on with its settings, or choose another folder for this one. Nothing was changed."
        )


def resolve_precision(precision: str, preset: str) -> str:
    """What "auto" means here: "bf16" where the processor has instructions for it, else "fp32"."""
    if precision != "auto":
        return precision
    if preset == "gpu":
        return "bf16"
    return "bf16" if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported() else "fp32"
