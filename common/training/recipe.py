"""What a training run is made of: a recipe, its stages, and the settings of each stage under each preset.

A recipe is a plain Python file with a `RECIPE` in it; `flipbook train` runs it, by the name of shipped weights or by
its path. Everything that decides the outcome is in that file.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_type_hints

import torch

from common.runtime import PRESETS

PRECISIONS = ("fp32", "bf16", "auto")
DECAYS = ("cosine", "linear", "none")


@dataclass(frozen=True)
class Settings:
    """The numbers of one stage under one preset.

    Attributes:
        steps: optimiser steps.
        batch_size: samples a step, over all processes together.
        micro_batches: pieces that each process cuts its share into, one backward pass each; the result is the same up
            to rounding, and the memory that of one piece.
        learning_rate: after the warm-up.
        warmup_steps: steps of a straight rise from zero.
        decay: how it falls from there to the last step: "cosine", "linear" or "none".
        decay_from: fraction of the steps after which it begins to fall.
        final_learning_rate: at the last step, as a fraction of `learning_rate`.
        betas: of Adam.
        weight_decay: of AdamW, on tensors with two axes or more.
        max_grad_norm: gradients longer than this are shortened to it; 0 for never.
        ema_decay: of the running mean of the weights, which is what is shown, measured and exported; 0 for none.
        precision: "fp32", "bf16" (autocast; weights stay float32), or "auto": bf16 where the processor computes in it.
        seed: of the initial weights and of all noise.
        first_sample: index of the first sample, so that a later stage sees new ones.
        log_every: steps between lines of the log.
        measure_every: steps between calls of the recipe's `measure`; 0 for the end alone.
        sheet_every: steps between sample sheets; 0 for the end alone.
        checkpoint_every: steps between checkpoints: what a kill costs at most.
    """

    steps: int
    batch_size: int
    learning_rate: float
    micro_batches: int = 1
    warmup_steps: int = 0
    decay: str = "cosine"
    decay_from: float = 0.0
    final_learning_rate: float = 0.0
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    ema_decay: float = 0.999
    precision: str = "fp32"
    seed: int = 0
    first_sample: int = 0
    log_every: int = 10
    measure_every: int = 0
    sheet_every: int = 0
    checkpoint_every: int = 200

    def __post_init__(self):
        for name in ("steps", "batch_size", "micro_batches", "log_every", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("warmup_steps", "first_sample", "measure_every", "sheet_every", "max_grad_norm", "weight_decay"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay must be from 0 up to, not including, 1, got {self.ema_decay}")
        if self.decay not in DECAYS:
            raise ValueError(f"decay is {self.decay!r}; it can be {', '.join(DECAYS)}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; it can be {', '.join(PRECISIONS)}")


# How often something is written or shown decides nothing, and neither does how a batch is cut up.
FREE = {"micro_batches", "log_every", "measure_every", "sheet_every", "checkpoint_every"}


def decisive(settings: Settings) -> dict[str, Any]:
    """The settings that decide a step: a run resumes from a checkpoint only if all of these are the same.

    While the learning rate stays constant, the number of steps is none of them: such a run may be prolonged, or
    ended at a checkpoint.
    """
    free = FREE | {"steps"} if settings.decay == "none" else FREE
    return {name: value for name, value in asdict(settings).items() if name not in free}


@dataclass(frozen=True)
class Stage:
    """One stage of a training run, run by itself.

    Attributes:
        settings: for each preset that the stage can run under.
        start: whose weights it begins with: another stage's name, or a name of shipped weights; None for fresh ones.
        data: as in `Recipe`, where this stage has its own; None for the recipe's.
        compute_loss: as in `Recipe`, where this stage has its own; None for the recipe's.
    """

    settings: Mapping[str, Settings]
    start: str | None = None
    data: Callable[[str], Any] | None = None
    compute_loss: Callable | None = None


def adamw(model: torch.nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """AdamW (arXiv:1711.05101) with weight decay on matrices and kernels alone, not on biases, gains and gates."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=settings.betas, fused=True)


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    A sample is known by its index alone: step k uses samples `kB … kB + B - 1`, whatever the number of processes.

    Attributes:
        name: of the weights that come out.
        build_model: `(preset) -> model`, a `ModelMixin` with fresh weights; torch's generator is seeded before.
        data: `(preset) -> data`, an object with `batch(indices: list[int]) -> batch` that gives the same samples for
            the same indices, and, if it can, a `key: str` that names the world it draws from. A batch is a tensor, a
            dictionary, or anything with `.to(device)`.
        compute_loss: `(model, batch, noise) -> {"loss": …, …}`, scalar tensors; the mean over the batch's samples.
            `noise` is a `KeyedNoise`: all that the loss draws at random comes from it. What is there beside "loss" is
            logged.
        stages: by name; "main" is the one that runs if none is named.
        sheet: `(model, preset) -> picture`, an object with `.save(path)`, from the weights' running mean.
        measure: `(model, preset) -> {name: float}`, logged.
        finish: `(model, preset) -> None`, called once with the finished weights, before they are written: for what
            belongs in the model's config and can be known only then, such as statistics of its latents.
        optimizer: `(model, settings) -> optimizer`; the schedule scales each group's own learning rate.
        training: the class that carries it out where one optimiser is not enough; None for the one of `loop.py`.
    """

    name: str
    build_model: Callable[[str], torch.nn.Module]
    data: Callable[[str], Any]
    compute_loss: Callable
    stages: Mapping[str, Stage]
    sheet: Callable[[torch.nn.Module, str], Any] | None = None
    measure: Callable[[torch.nn.Module, str], dict[str, float]] | None = None
    finish: Callable[[torch.nn.Module, str], None] | None = None
    optimizer: Callable[[torch.nn.Module, Settings], torch.optim.Optimizer] = field(default=adamw)
    training: type | None = None

    def at(self, stage: str, preset: str) -> tuple["Recipe", Settings]:
        """The recipe with the stage's own data and loss in place, and the stage's settings under a preset.

        Raises:
            ValueError: there is no such stage, or it has no settings for this preset.
        """
        if stage not in self.stages:
            raise ValueError(f"the recipe {self.name} has no stage {stage!r}; it has {', '.join(self.stages)}")
        chosen = self.stages[stage]
        if preset not in chosen.settings:
            raise ValueError(f"stage {stage!r} of {self.name} runs under {', '.join(chosen.settings)}, not {preset!r}")
        own = {name: getattr(chosen, name) for name in ("data", "compute_loss") if getattr(chosen, name) is not None}
        return replace(self, **own), chosen.settings[preset]


def with_settings(settings: Settings, changes: Mapping[str, str]) -> Settings:
    """Settings with some of them changed, each given as text, as on a command line.

    Raises:
        ValueError: there is no such setting, or the text does not fit it.
    """
    kinds = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for name, text in changes.items():
        if name not in kinds:
            raise ValueError(f"there is no setting {name!r}; there are {', '.join(kinds)}")
        kind = kinds[name]
        try:
            values[name] = tuple(float(part) for part in text.split(",")) if name == "betas" else kind(text)
        except ValueError as error:
            raise ValueError(f"{name} cannot be {text!r}") from error
    return replace(settings, **values)


def load_recipe(path) -> Recipe:
    """The `RECIPE` of a Python file.

    Raises:
        ValueError: there is no such file, or no recipe in it.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no recipe file {path}")
    spec = importlib.util.spec_from_file_location(f"recipe_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return recipe_in(module, path)


def recipe_in(module, origin) -> Recipe:
    """The `RECIPE` of an imported module.

    Raises:
        ValueError: it has none, or a preset in it does not exist.
    """
    recipe = getattr(module, "RECIPE", None)
    if not isinstance(recipe, Recipe):
        raise ValueError(f"{origin} holds no RECIPE = Recipe(…)")
    unknown = {preset for stage in recipe.stages.values() for preset in stage.settings} - set(PRESETS)
    if unknown:
        raise ValueError(f"{origin}: no such preset: {', '.join(sorted(unknown))}; there are {', '.join(PRESETS)}")
    return recipe
