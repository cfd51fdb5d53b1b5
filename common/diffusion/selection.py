"""Several samples for one prompt, and which of them the model itself finds the most likely: no other judge is asked."""

from collections.abc import Sequence

import torch

from common.diffusion.guidance import Guidance
from common.diffusion.losses import flow_matching_loss

LEVELS = (0.6, 0.7)  # where a path that is none, or a missing object, costs the most
NUM_DRAWS = 2


def denoising_errors(
    guided: Guidance,
    x0: torch.Tensor,
    levels: Sequence[float] = LEVELS,
    num_draws: int = NUM_DRAWS,
    weights: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """How badly the model denoises each sample once noise is added to it again: low for what it thinks likely.

    The training's own loss, with the prompt and without, put together as guidance puts velocities together: a sample
    is good if the model knows it, and better if it knows it because of the prompt. After Li et al. 2023,
    arXiv:2303.16203, who classify with such errors.

    Args:
        guided: the model with its prompts, as the sampler asked it.
        x0: samples, `(B, C, T', H, W)`.
        levels: s of the noise that is added.
        num_draws: of noise at each level. It is the same for all samples, so that only they differ.
        weights: what each frame counts, `(B, T')`; a frame that is given counts 0, and gets no noise. None: all count.
        generator: where the noise comes from.

    Returns:
        `(B,)` float32.
    """
    total = torch.zeros(len(x0), device=x0.device)
    for s in levels:
        level = torch.full((len(x0),), s, device=x0.device)
        if weights is not None:
            level = level[:, None] * (weights > 0)  # (B, T')
        for _ in range(num_draws):
            eps = torch.randn(x0.shape[1:], generator=generator).to(x0.device).expand_as(x0)
            with_prompt, without = (
                flow_matching_loss(lambda x, t, c=c: guided.predict(x, t / 1000, *c), x0, eps, level, weights)
                for c in (guided.condition, guided.unconditional)
            )
            total += without + guided.guidance_scale * (with_prompt - without)
    return total / (len(levels) * num_draws)


def lowest(samples: torch.Tensor, errors: torch.Tensor, num_candidates: int) -> torch.Tensor:
    """Of each group of candidates, which follow each other, the one with the lowest error: `(B / num_candidates, ...)`.

    Raises:
        ValueError: the samples are no whole number of groups.
    """
    if len(samples) % num_candidates:
        raise ValueError(f"{len(samples)} samples are no groups of {num_candidates}")
    best = errors.view(-1, num_candidates).argmin(dim=1)  # (groups,)
    first = torch.arange(len(best), device=best.device) * num_candidates
    return samples[first + best]
