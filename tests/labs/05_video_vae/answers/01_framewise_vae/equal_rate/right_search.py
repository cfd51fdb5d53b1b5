"""Tries one number after the other.
"""


def equal_rate(num_frames, latent_channels, temporal_compression_ratio=4, spatial_compression_ratio=8, *,
               frame_compression_ratio=8):
    T, C, r, s, f = (num_frames, latent_channels, temporal_compression_ratio, spatial_compression_ratio,
                     frame_compression_ratio)
    if any(n <= 0 for n in (T, C, r, s, f)) or T % r != 1 % r:
        raise ValueError(f"these numbers make no sense: {(T, C, r, s, f)}")
    want, per_channel = C * ((T - 1) // r + 1) * f * f, T * s * s
    best = want // per_channel
    over = 2 * (want - best * per_channel) - per_channel  # above 0: the next one is nearer
    if over > 0 or (over == 0 and best % 2 == 1):
        best += 1
    return max(1, best)
