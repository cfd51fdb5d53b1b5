"""A training run whose step is a function of its own, `step(model, optimizer, batch, noise)`; the rest is `Training`.

For a step that is more than a loss: a learner's own, or an algorithm that alternates. Folder, log, running mean, exact
resume and progress bar are those of every run.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from accelerate.utils import send_to_device

from common.training.errors import TrainingError
from common.training.loop import Training
from common.training.recipe import Recipe
from common.training.schedule import learning_rate_factor, set_learning_rate


class SteppedTraining(Training):
    """Training by the recipe's own `step`. See `Training` for everything else."""

    def _prepare(self) -> None:
        if self.accelerator.num_processes > 1 or self.settings.micro_batches > 1:
            raise TrainingError(f"{self.recipe.name} has a step of its own: it runs in one process, on whole batches.")
        self.model.to(self.accelerator.device)
        self.optimizer = self.accelerator.prepare(self.recipe.optimizer(self.model, self.settings))

    def step(self, step: int, parts: list) -> dict[str, float]:
        """One step. Returns what the recipe's step returned, with the learning rate and the time so far."""
        began, began_cpu = time.perf_counter(), time.process_time()
        factor = learning_rate_factor(step, self.settings)
        set_learning_rate(self.optimizer, factor)
        ((batch, noise),) = parts
        with self.accelerator.autocast():
            batch = send_to_device(batch, self.accelerator.device)
            measures = self.recipe.step(self.model, self.optimizer, batch, noise)
        measures = {name: float(value) for name, value in measures.items()}
        bad = [name for name, value in measures.items() if not math.isfinite(value)]
        if bad:
            raise TrainingError(
                f"Step {step} of {self.recipe.name}: {' and '.join(bad)} not finite. The checkpoints in {self.folder} "
                "are as they were. Every step would be the same again: try a lower learning rate."
            )
        self.ema.update(self.model, step)
        self.seconds += time.perf_counter() - began
        self.cpu_seconds += time.process_time() - began_cpu
        self.bar.set_postfix({name: f"{value:.3g}" for name, value in measures.items()}, refresh=False)
        self.bar.update()
        times = {"seconds": round(self.seconds, 3), "cpu_seconds": round(self.cpu_seconds, 3)}
        return measures | {"learning_rate": factor * self.settings.learning_rate, **times}


@dataclass(frozen=True, kw_only=True)
class SteppedRecipe(Recipe):
    """How a model is trained whose step is given whole: a `Recipe` with `step` in place of `compute_loss`.

    Of the settings, `max_grad_norm` means nothing here: the step clips, or does not.

    Attributes:
        step: `(model, optimizer, batch, noise) -> {name: number}`: one step, the optimizer's move included. `noise` is
            a `KeyedNoise`.
    """

    compute_loss: None = None  # pyrefly: ignore [bad-override]  # the step is in its place
    step: Callable
    training: type = SteppedTraining
