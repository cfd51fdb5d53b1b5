"""What the two players of a GAN want, and a brake for one of them: free functions of scores and of a discriminator."""

from collections.abc import Callable

import torch
import torch.nn.functional as F


def discriminator_hinge_loss(real_scores: torch.Tensor, fake_scores: torch.Tensor) -> torch.Tensor:
    """The hinge loss of a discriminator: nothing to pay where real scores are above 1 and fake ones below -1.

    mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z))): the hinge loss of Lim and Ye 2017, arXiv:1705.02894. A sample that
    is told apart with room to spare moves nothing any more; the others keep their full weight.

    Args:
        real_scores: D(x), any shape and memory layout, float16, bfloat16, float32 or float64.
        fake_scores: D(G(z)), any shape, the same dtype; there may be more or fewer of them.

    Returns:
        A scalar of shape (), differentiable in both scores. Half precision is lifted to float32 before anything is
        computed, and the loss is float32; from float64 scores it is float64.

    Raises:
        ValueError: one of the two has no numbers.
    """
    for name, scores in (("real_scores", real_scores), ("fake_scores", fake_scores)):
        if scores.numel() == 0:
            raise ValueError(f"{name} has no numbers: its shape is {tuple(scores.shape)}")
    real_scores, fake_scores = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (real_scores, fake_scores))
    return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()


def generator_hinge_loss(fake_scores: torch.Tensor) -> torch.Tensor:
    """What the generator pays: minus the mean score of what it made. It has no hinge, so it always has a gradient.

    Args:
        fake_scores: D(G(z)), any shape.

    Returns:
        A scalar, float32 at least.

    Raises:
        ValueError: there are no scores.
    """
    if fake_scores.numel() == 0:
        raise ValueError(f"fake_scores has no numbers: its shape is {tuple(fake_scores.shape)}")
    return -fake_scores.to(torch.promote_types(fake_scores.dtype, torch.float32)).mean()


def gradient_penalty(discriminator: Callable[[torch.Tensor], torch.Tensor], real: torch.Tensor) -> torch.Tensor:
    """The R₁ gradient penalty: how steep the discriminator is at real samples, the mean over them of ‖∇ₓ D(x)‖².

    A steep discriminator throws the generator from one spot to the next, and it never learns the places between. This
    is the penalty R₁ of Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406, with which training provably settles
    when it is near the equilibrium. The discriminator's loss takes γ/2 of it.

    The squares are summed within a sample and averaged over samples. Nothing else changes: `real` stays as it is, also
    its `requires_grad`, and no `.grad` is written, neither of `real` nor of a weight.

    Args:
        discriminator: any callable from samples to scores `(B, ...)`, with any number of scores per sample. Those of
            one sample are added.
        real: `(B, ...)`, samples of the data, of two axes or more.

    Returns:
        A scalar of shape (), differentiable in the discriminator's weights.

    Raises:
        ValueError: there is no sample.
    """
    if len(real) == 0:
        raise ValueError(f"there is no sample to take a gradient at: real is {tuple(real.shape)}")
    real = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)  # (B, ...)
    return slope.float().square().flatten(1).sum(dim=1).mean()
