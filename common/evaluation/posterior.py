"""What the latents of a variational autoencoder carry: nats per channel, and which channels are dead.

A channel that says nothing about the clip costs nothing, so a KL term with too large a weight switches channels off
one by one (posterior collapse).
"""

import torch

ACTIVE = 0.01  # variance of the means: Burda et al. 2016, arXiv:1509.00519


def channel_kl(mean: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    """KL divergence from the standard normal distribution per channel, in nats per number of the latent.

    Args:
        mean, logvar: `(B, C, T, H, W)`, of the posterior.

    Returns:
        `(C,)`: the mean over clips and places.
    """
    each = 0.5 * (mean.square() + logvar.exp() - 1.0 - logvar)
    return each.mean(dim=(0, 2, 3, 4))


def active_channels(mean: torch.Tensor, threshold: float = ACTIVE) -> torch.Tensor:
    """Which channels are active: those whose posterior mean varies over clips and places. The others are dead.

    Args:
        mean: `(B, C, T, H, W)`, of the posterior, over as many different clips as there are.
        threshold: variance above which a channel is active.

    Returns:
        bool `(C,)`.
    """
    return mean.movedim(1, 0).flatten(1).var(dim=1, correction=0) > threshold
