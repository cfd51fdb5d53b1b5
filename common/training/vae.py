"""Training of a variational autoencoder of clips: the loss, and one step. Free functions of any model.

The model is a callable pair, as in diffusers: `model.encode(clips).latent_dist`, with `.sample(generator)` and `.kl()`,
and `model.decode(z).sample`.
"""

import torch

KL_WEIGHT = 3e-3  # on nats per pixel value: enough to keep the latents' scale, too little to blur


def reconstruction_loss(restored: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Reconstruction loss by clip: the root mean square error of each clip, then the mean over clips.

    Per clip it is √(m + 1e-6), where m is the mean of the clip's squared errors; the constant keeps the slope finite at
    m = 0. Because each clip has a root of its own, a clip that is hard does not outvote one that is easy.

    Args:
        restored: `(B, C, T, H, W)`, on any scale, not clamped.
        target: the same shape.

    Returns:
        A scalar, float32, computed in float32 also where the clips are in half precision.

    Raises:
        ValueError: the shapes differ.
    """
    if restored.shape != target.shape:
        raise ValueError(f"restored and target differ in shape: {tuple(restored.shape)} and {tuple(target.shape)}")
    squares = (restored.float() - target.float()).square()
    return (squares.flatten(1).mean(dim=1) + 1e-6).sqrt().mean()


def train_step(
    model,
    optimizer: torch.optim.Optimizer,
    clips: torch.Tensor,
    generator: torch.Generator | None = None,
    *,
    kl_weight: float = KL_WEIGHT,
    max_grad_norm: float = 1.0,
) -> dict[str, float]:
    """One training step of a variational autoencoder: encode, draw, decode, and one move of the optimizer.

    The loss is `reconstruction_loss` of the restored clips, plus `kl_weight` times the KL divergence in nats per pixel
    value: the mean over the batch of `latent_dist.kl()`, divided by the C · T · H · W numbers of one clip. The latents
    are a draw, `latent_dist.sample(generator)`, not the mode: what is never drawn is never learned (Kingma, Welling
    2013, arXiv:1312.6114). Gradients that are there before do not count. The gradient of all of the model's parameters
    together is shortened to a norm of `max_grad_norm` where it is longer, before the optimizer's one `step()`.

    Args:
        model: `encode(clips).latent_dist`, `decode(z).sample`, `parameters()`.
        optimizer: of the model's parameters.
        clips: `(B, C, T, H, W)` in [-1, 1].
        generator: of the draw; None for the global one.
        kl_weight: of the KL divergence.
        max_grad_norm: longest gradient.

    Returns:
        Three Python floats, as they were before the move: `loss`, `error` (the reconstruction loss) and `kl` (nats per
        pixel value, without its weight).
    """
    dist = model.encode(clips).latent_dist
    restored = model.decode(dist.sample(generator)).sample
    error = reconstruction_loss(restored, clips)
    kl = dist.kl().mean() / clips[0].numel()
    loss = error + kl_weight * kl
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
    optimizer.step()
    return {"loss": loss.item(), "error": error.item(), "kl": kl.item()}
