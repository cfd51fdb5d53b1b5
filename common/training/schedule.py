"""The learning rate over a training run: warm-up, plateau, decay."""

import math

from common.training.recipe import Settings


def learning_rate_factor(step: int, settings: Settings) -> float:
    """What the learning rate is multiplied by at a step, counted from 0.

    It rises in a straight line over `warmup_steps`, is 1 until the fraction `decay_from` of all steps, and falls from
    there to `final_learning_rate`, which it reaches at the last step.
    """
    if step < settings.warmup_steps:
        return (step + 1) / (settings.warmup_steps + 1)
    if settings.decay == "none":
        return 1.0
    last = settings.steps - 1
    begin = max(settings.warmup_steps, round(settings.decay_from * last))
    done = min(1.0, max(0.0, (step - begin) / max(1, last - begin)))  # 0 to 1 over the decay
    shape = 0.5 * (1 + math.cos(math.pi * done)) if settings.decay == "cosine" else 1 - done
    return settings.final_learning_rate + (1 - settings.final_learning_rate) * shape


def set_learning_rate(optimizer, factor: float) -> None:
    """Scale each group's own learning rate, the one that it was made with."""
    for group in optimizer.param_groups:
        group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
