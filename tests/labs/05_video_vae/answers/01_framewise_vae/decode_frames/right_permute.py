"""Axes moved by hand.
"""


def decode_frames(vae, latents):
    batch, _, num_frames = latents.shape[:3]
    pictures = vae.decode(latents.movedim(2, 1).flatten(0, 1)[:, :, None]).sample
    return pictures.squeeze(2).unflatten(0, (batch, num_frames)).movedim(1, 2)
