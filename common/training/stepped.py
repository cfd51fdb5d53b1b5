"""A training run whose step is a function of its own, `step(model, optimizer, batch, noise)`; the rest is `Training`.

For a step that is more than a loss: a learner's own, or an algorithm that alternates. Folder, log, running mean, exact
resume and progress bar are those of every run.
"""

from collections.abc import Callable
from dataclasses import dataclass

from accelerate.utils import send_to_device

from common.training.errors import TrainingError
from common.training.loop import Training
from common.training.recipe import Recipe


class SteppedTraining(Training):
    """Training by the recipe's own `step`. See `Training` for everything else."""

    def _prepare(self) -> None:
        if self.accelerator.num_processes > 1 or self.settings.micro_batches > 1:
            raise TrainingError(f"{self.recipe.name} has a step of its own: it runs in one process, on whole batches.")
        self.model.to(self.accelerator.device)
        self.optimizer = self.accelerator.prepare(self.recipe.optimizer(self.model, self.settings))
        self.optimizers = [self.optimizer]

    def _move(self, step: int, parts: list) -> dict[str, float]:
        """One step by the recipe's own. Returns what that returned."""
        ((batch, noise),) = parts
        with self.accelerator.autocast():
            batch = send_to_device(batch, self.accelerator.device)
            found = self.recipe.step(self.model, self.optimizer, batch, noise)
        measures = {name: float(value) for name, value in found.items()}
        self._demand_finite(step, measures, measures)
        return measures


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
