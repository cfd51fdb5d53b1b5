"""Axes moved by hand, frames first.
"""


def encode_frames(vae, clips, generator=None):
    b, _, t, _, _ = clips.shape
    folded = clips.permute(2, 0, 1, 3, 4).flatten(0, 1).unsqueeze(2)
    dist = vae.encode(folded).latent_dist
    z = dist.sample(generator) if generator is not None else dist.mode()
    return z.squeeze(2).unflatten(0, (t, b)).permute(1, 2, 0, 3, 4).contiguous()
