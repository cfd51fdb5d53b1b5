"""Categorical latents: sampled with a gradient, never certain, and pulled together by a balanced KL (DreamerV3)."""

import torch
from torch.nn import functional as F


def uniform_mix(logits: torch.Tensor, share: float = 0.01) -> torch.Tensor:
    """Mix a categorical distribution with the uniform one, so that no class is impossible and no KL infinite.

    Args:
        logits: `(..., C)`.
        share: of the uniform distribution, in [0, 1].

    Returns:
        Log-probabilities `(..., C)` of (1 - share) softmax(logits) + share / C.
    """
    probabilities = (1 - share) * logits.softmax(dim=-1) + share / logits.shape[-1]
    return probabilities.log()


def straight_through_sample(log_probabilities: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Draw a class, with the gradient of its probability (straight-through, Bengio et al., arXiv:1308.3432).

        z = onehot(draw) + p - stop_gradient(p)

    Args:
        log_probabilities: `(..., C)`, normalized.
        generator: of the draw.

    Returns:
        One-hot `(..., C)`.
    """
    probabilities = log_probabilities.exp()
    rows = probabilities.detach().flatten(0, -2)
    drawn = torch.multinomial(rows, 1, generator=generator).view(log_probabilities.shape[:-1])
    onehot = F.one_hot(drawn, log_probabilities.shape[-1]).to(probabilities)
    return onehot + (probabilities - probabilities.detach())


def categorical_kl(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """KL(first ‖ second) of L independent categorical latents, summed over them.

    Args:
        first: log-probabilities `(..., L, C)`.
        second: likewise.

    Returns:
        Nats, `(...)`.
    """
    return (first.exp() * (first - second)).sum(dim=(-2, -1))


def kl_balance(
    posterior: torch.Tensor,
    prior: torch.Tensor,
    *,
    dynamics: float = 0.5,
    representation: float = 0.1,
    free_nats: float = 1.0,
) -> torch.Tensor:
    """The KL term of DreamerV3 (arXiv:2301.04104): the prior is pulled harder than the posterior, and not below 1 nat.

        dynamics · max(free, KL(sg(q) ‖ p)) + representation · max(free, KL(q ‖ sg(p)))

    Both terms have the same value. The first trains the prior alone, the second the posterior alone.

    Args:
        posterior: log-probabilities of q, `(..., L, C)`.
        prior: log-probabilities of p, `(..., L, C)`.
        dynamics, representation: the two weights.
        free_nats: free bits: where the KL over all L latents is below this, it costs the same and has no gradient.

    Returns:
        The mean over all places, a scalar.
    """
    to_prior = categorical_kl(posterior.detach(), prior).clamp(min=free_nats)
    to_posterior = categorical_kl(posterior, prior.detach()).clamp(min=free_nats)
    return (dynamics * to_prior + representation * to_posterior).mean()
