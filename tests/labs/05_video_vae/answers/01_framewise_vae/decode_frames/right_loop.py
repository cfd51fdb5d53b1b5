"""One frame after the other.
"""


def decode_frames(vae, latents):
    return torch.cat([vae.decode(latents[:, :, [t]]).sample for t in range(latents.shape[2])], dim=2)
