"""Mean and standard deviation of each latent channel over training data: the last thing an autoencoder's run does."""

import torch

from common.tensor_ops import from_uint8

BATCH = 8


@torch.no_grad()
def record_latent_statistics(model, data, num_clips: int) -> None:
    """Write `latents_mean` and `latents_std` into the config of an autoencoder, for `normalize` and `denormalize`.

    They are taken over the modes of the latents, in double precision: with N numbers in a channel, the mean is Σ z / N,
    and the variance Σ z² / N - mean².

    Args:
        model: `encode(clips).latent_dist.mode()`, `(B, C, T', H', W')`, and `register_to_config`.
        data: `batch(indices)` gives uint8 clips `(B, 3, T, H, W)`.
        num_clips: the first so many, a multiple of 8.

    Raises:
        ValueError: `num_clips` is not a multiple of 8, or below 8.
    """
    if num_clips < BATCH or num_clips % BATCH:
        raise ValueError(f"num_clips is a multiple of {BATCH} from {BATCH} on, got {num_clips}")
    mean = square = torch.zeros((), dtype=torch.float64)
    for start in range(0, num_clips, BATCH):
        clips = from_uint8(data.batch(range(start, start + BATCH)).to(model.device))
        z = model.encode(clips).latent_dist.mode().double()  # (B, C, T', H', W')
        mean, square = mean + z.mean(dim=(0, 2, 3, 4)), square + z.square().mean(dim=(0, 2, 3, 4))
    num_batches = num_clips // BATCH
    mean, square = mean / num_batches, square / num_batches  # (C,)
    std = (square - mean.square()).sqrt()
    model.register_to_config(
        latents_mean=[round(m, 5) for m in mean.tolist()], latents_std=[round(s, 5) for s in std.tolist()]
    )
