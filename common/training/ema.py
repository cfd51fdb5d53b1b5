"""A running mean of the weights: less noisy than the weights of any one step."""

from contextlib import contextmanager

import torch


class Ema:
    """Exponential moving average of a model's floating-point parameters and buffers, in float32.

    Args:
        model: whose present weights the average starts from.
        decay: of the old average at each update, in the long run. While few steps are done it is smaller,
            `(1 + step) / (10 + step)`, so that the first, random weights are soon forgotten.
    """

    def __init__(self, model: torch.nn.Module, decay: float):
        self.decay = decay
        self.average = {name: tensor.detach().clone() for name, tensor in _floating(model).items()}

    @torch.no_grad()
    def update(self, model: torch.nn.Module, step: int) -> None:
        """Take in the weights after step `step`, counted from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        present = _floating(model)
        averages = list(self.average.values())
        torch._foreach_lerp_(averages, [present[name] for name in self.average], 1 - decay)

    @contextmanager
    def applied_to(self, model: torch.nn.Module):
        """Within the context the model holds the average; afterwards its own weights again, bit for bit."""
        self._swap(model)
        try:
            yield model
        finally:
            self._swap(model)

    @torch.no_grad()
    def _swap(self, model: torch.nn.Module) -> None:
        for name, tensor in _floating(model).items():
            own = tensor.detach().clone()
            tensor.copy_(self.average[name])
            self.average[name].copy_(own)


def _floating(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in model.state_dict().items() if tensor.is_floating_point()}
