"""Classifier-free guidance: go further in the direction in which the prompt changes the prediction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Guidance:
    """A model with its prompt, as the samplers call it: uncond + g (cond - uncond) (Ho, Salimans 2022, 2207.12598).

    At `guidance_scale` 1 that is the prompt's own prediction, and the model is called with nothing else. Otherwise both
    predictions come out of one call with a batch twice as large.

    Attributes:
        predict: `(x, level, *condition) -> ` as x.
        condition: tensors `(B, ...)` that stand for the prompt, such as its states and their mask.
        unconditional: tensors of the same shapes that stand for no prompt.
        guidance_scale: g.
    """

    predict: Callable
    condition: Sequence[torch.Tensor]
    unconditional: Sequence[torch.Tensor]
    guidance_scale: float

    def __call__(self, x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """The guided prediction, as x. `level`: `(B,)` or `(B, T')`."""
        if self.guidance_scale == 1:
            return self.predict(x, level, *self.condition)
        both = [torch.cat(pair) for pair in zip(self.unconditional, self.condition, strict=True)]
        uncond, cond = self.predict(torch.cat([x, x]), torch.cat([level, level]), *both).chunk(2)
        return uncond + self.guidance_scale * (cond - uncond)
