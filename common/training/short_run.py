"""A training loop in memory, for runs of a minute or two: no folder, no checkpoints, no running mean."""

from collections.abc import Callable

import torch

from common.progress import progress_bar


def short_run(
    optimizer: torch.optim.Optimizer,
    compute_loss: Callable[[int], torch.Tensor],
    num_steps: int,
    *,
    decay: float = 0.5,
    max_grad_norm: float | None = None,
    desc: str = "training",
) -> list[float]:
    """Move an optimizer's parameters down a loss.

    Args:
        optimizer: over the parameters; its learning rates are those of the first step.
        compute_loss: the number of the step (from 0) to the loss, a scalar with a graph.
        num_steps: how many steps.
        decay: the part of the run, at its end, over which the learning rate falls in a straight line towards 0; 0 for a
            constant rate.
        max_grad_norm: gradients longer than this are shortened to it; None for never.
        desc: what the progress bar says.

    Returns:
        The loss of every step.

    Raises:
        ValueError: `decay` is not from 0 to 1.
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"decay is a part of the run, from 0 to 1, got {decay}")
    rates = [group["lr"] for group in optimizer.param_groups]
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    losses = []
    for step in progress_bar(range(num_steps), desc=desc, unit="step"):
        factor = min(1.0, (num_steps - step) / (decay * num_steps)) if decay else 1.0
        for group, rate in zip(optimizer.param_groups, rates):
            group["lr"] = rate * factor
        loss = compute_loss(step)
        optimizer.zero_grad()
        loss.backward()
        if max_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, max_grad_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses
