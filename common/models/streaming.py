"""Streaming encode and decode: a causal autoencoder at work on frames as they come, in memory that does not grow."""

from collections.abc import Iterable, Iterator

import torch


@torch.no_grad()
def encode_stream(vae, frames: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    """Encode a stream of frames: each latent is yielded as soon as its frames are there.

    The first frame makes the first latent, every `vae.temporal_compression_ratio` frames after it one more. The latents
    are those of the whole clip, and the stream need not end. No more frames are taken from it than the next latent
    needs, and those of latents already yielded are forgotten. No gradients are computed: they would keep every frame.

    Args:
        vae: a causal autoencoder. `vae.encode_chunk(piece, caches)` takes the next frames `(B, 3, T, H, W)` and the
            caches that it returned for the piece before (None at the beginning). It returns a distribution, whose
            `mode()` is the latents, and the next caches.
        frames: any iterable of frames `(B, 3, H, W)` in [-1, 1].

    Yields:
        Latents `(B, C, 1, H', W')`. An empty stream has none.

    Raises:
        ValueError: the stream ends within a group; all latents before have been yielded.
    """
    group, caches, needed = [], None, 1
    for frame in frames:
        group.append(frame)
        if len(group) == needed:
            dist, caches = vae.encode_chunk(torch.stack(group, dim=2), caches)
            group, needed = [], vae.temporal_compression_ratio
            yield dist.mode()
    if group:
        raise ValueError(f"the stream ends {len(group)} frames into a group of {needed}")


@torch.no_grad()
def decode_stream(vae, latents: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    """Decode a stream of latents: the frames of each are yielded at once. The way back from `encode_stream`.

    Args:
        vae: a causal autoencoder; `vae.decode_chunk(latent, caches)` returns frames `(B, 3, T, H, W)` and the caches.
        latents: any iterable of latents `(B, C, 1, H', W')`.

    Yields:
        Frames `(B, 3, T, H, W)`, not clamped: 1 for the first latent, then `vae.temporal_compression_ratio` for each.
    """
    caches = None
    for latent in latents:
        frames, caches = vae.decode_chunk(latent, caches)
        yield frames
