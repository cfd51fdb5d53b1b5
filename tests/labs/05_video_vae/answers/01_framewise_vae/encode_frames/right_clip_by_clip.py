"""One clip after the other, its frames as a batch.
"""


def encode_frames(vae, clips, generator=None):
    def one(clip):
        dist = vae.encode(clip.transpose(0, 1)[:, :, None]).latent_dist
        z = dist.mode() if generator is None else dist.sample(generator=generator)
        return z[:, :, 0].transpose(0, 1)

    return torch.stack([one(clip) for clip in clips])
