"""One frame after the other, with a list.
"""


def encode_frames(vae, clips, generator=None):
    latents = []
    for t in range(clips.shape[2]):
        dist = vae.encode(clips[:, :, t : t + 1]).latent_dist
        latents.append(dist.mode() if generator is None else dist.sample(generator))
    return torch.cat(latents, dim=2)
