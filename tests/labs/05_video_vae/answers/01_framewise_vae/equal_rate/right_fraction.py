"""Exact arithmetic.
"""
from fractions import Fraction


def equal_rate(num_frames, latent_channels, temporal_compression_ratio=4, spatial_compression_ratio=8, *,
               frame_compression_ratio=8):
    for value in (num_frames, latent_channels, temporal_compression_ratio, spatial_compression_ratio,
                  frame_compression_ratio):
        if value < 1:
            raise ValueError("too small")
    if (num_frames - 1) % temporal_compression_ratio != 0:
        raise ValueError("this clip cannot be coded")
    latents = Fraction(num_frames - 1, temporal_compression_ratio) + 1
    exact = latent_channels * latents / num_frames * Fraction(frame_compression_ratio, spatial_compression_ratio) ** 2
    return max(round(exact), 1)
