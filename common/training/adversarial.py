"""Two players, two optimisers: the step of a GAN, and a training run that is made of such steps.

A recipe for a GAN is an `AdversarialRecipe`. `flipbook train` runs it like any other: the same settings, folder, log,
running mean and exact resume. Only the step is another one, and there are two optimisers to remember.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from accelerate.utils import send_to_device

from common.training import snapshot
from common.training.adversarial_losses import discriminator_hinge_loss, generator_hinge_loss, gradient_penalty
from common.training.errors import TrainingError
from common.training.loop import Training
from common.training.recipe import Recipe

PLAYERS = ("generator", "discriminators")  # the parts of the model, in the order of their optimisers


def adversarial_step(
    generator: Callable[[torch.Tensor], torch.Tensor],
    discriminator: Callable[[torch.Tensor], torch.Tensor],
    optimizers: Sequence[torch.optim.Optimizer],
    real: torch.Tensor,
    latents: torch.Tensor,
    penalty_weight: float = 0.0,
) -> dict[str, torch.Tensor]:
    """One step of a GAN: the discriminator moves, then the generator, against the discriminator as it is now.

    The discriminator moves once, against `real` and what the generator makes of `latents[0]`. Its loss is
    `discriminator_hinge_loss` plus half of `penalty_weight` times `gradient_penalty` at `real`. Then the generator
    moves once for each of the other latents, `latents[1]`, `latents[2]`, …, by `generator_hinge_loss`. A move is one
    `step()` of that player's optimizer. No player's move changes the other's weights, and no gradient of an earlier
    move, its own or the other's, counts in a later one, in this step or the next.

    Args:
        generator: any callable from latents `(B, D)` to samples.
        discriminator: any callable from samples to scores.
        optimizers: two: of the generator's weights, of the discriminator's.
        real: samples of the data `(B', ...)`.
        latents: `(1 + M, B, D)`, for M moves of the generator.
        penalty_weight: γ of the gradient penalty. At 0 the penalty is not computed.

    Returns:
        A dictionary of scalar tensors without a graph: `discriminator`, its loss with the penalty's part;
        `generator`, the loss of its last move; `penalty`, the gradient penalty itself, 0 where it is not computed.

    Raises:
        ValueError: there are fewer than two batches of latents.
    """
    if len(latents) < 2:
        raise ValueError(f"latents are (1 + M, B, D), M at least 1; got {len(latents)} batches")
    generator_optimizer, discriminator_optimizer = optimizers
    with torch.no_grad():
        fake = generator(latents[0])  # what it makes is given; the discriminator's loss does not reach through it
    loss = discriminator_hinge_loss(discriminator(real), discriminator(fake))
    penalty = gradient_penalty(discriminator, real) if penalty_weight else torch.zeros_like(loss)
    loss = loss + penalty_weight / 2 * penalty
    discriminator_optimizer.zero_grad()
    loss.backward()
    discriminator_optimizer.step()
    generator_loss = torch.zeros_like(loss)
    for z in latents[1:]:
        generator_loss = generator_hinge_loss(discriminator(generator(z)))
        generator_optimizer.zero_grad()
        generator_loss.backward()
        generator_optimizer.step()
    discriminator_optimizer.zero_grad()  # the generator's moves left gradients here
    return {"discriminator": loss.detach(), "generator": generator_loss.detach(), "penalty": penalty.detach()}


class AdversarialTraining(Training):
    """Training with two optimizers, the generator and the discriminator. See `Training` for everything else."""

    advice = "try a lower learning rate, a stronger penalty, or spectral norm"

    def _prepare(self) -> None:
        if self.accelerator.num_processes > 1 or self.settings.micro_batches > 1:
            raise TrainingError("A GAN trains in one process and with whole batches here: both players need the batch.")
        self.model.to(self.accelerator.device)
        rates = (1.0, self.recipe.discriminator_rate)
        self.optimizers = [
            self.recipe.optimizer(
                getattr(self.model, player), replace(self.settings, learning_rate=rate * self.settings.learning_rate)
            )
            for player, rate in zip(PLAYERS, rates)
        ]

    def _move(self, step: int, parts: list) -> dict[str, float]:
        """One step of both players. Returns what the recipe's step returned."""
        ((batch, noise),) = parts
        with self.accelerator.autocast():
            batch = send_to_device(batch, self.accelerator.device)
            losses = self.recipe.step(self.model, self.optimizers, batch, noise)
        measures = {name: float(value) for name, value in losses.items()}
        self._demand_finite(step, measures, measures)
        return measures

    def _state(self) -> dict[str, torch.Tensor]:
        """The whole training; the two optimisers' memories have the names of different weights."""
        first, second = (snapshot.take(self.model, optimizer, self.ema) for optimizer in self.optimizers)
        return first | second

    def _restore(self, tensors: dict[str, torch.Tensor]) -> None:
        for player, optimizer in zip(PLAYERS, self.optimizers):
            others = tuple(f"optimizer.{name}." for name in PLAYERS if name != player)
            own = {name: tensor for name, tensor in tensors.items() if not name.startswith(others)}
            snapshot.restore(own, self.model, optimizer, self.ema)


@dataclass(frozen=True, kw_only=True)
class AdversarialRecipe(Recipe):
    """How a GAN is trained: a `Recipe` whose model has a `generator` and `discriminators`.

    Of the settings, `max_grad_norm` means nothing here.

    Attributes:
        step: `(model, optimizers, batch, noise) -> {name: scalar}`: one step of both players, as a rule by
            `adversarial_step`; what it returns is logged. `noise` is a `KeyedNoise`.
        discriminator_rate: the discriminators' learning rate over the generator's (two time scales: Heusel et al. 2017,
            arXiv:1706.08500).
    """

    compute_loss: None = None  # pyrefly: ignore [bad-override]  # two players have a step in its place
    step: Callable
    discriminator_rate: float = 1.0
    training: type = AdversarialTraining
