"""The latents are written into a tensor of zeros."""


def condition_latents(vae, pictures, noise_aug_strength, noise, guided=False):
    if list(noise.shape) != list(pictures.shape):
        raise ValueError("other noise")
    if noise_aug_strength < 0 or noise_aug_strength != noise_aug_strength:
        raise ValueError("a negative strength")
    given = (noise * noise_aug_strength + pictures).to(vae.dtype)
    found = vae.encode(given).latent_dist.mode().to(torch.float32)
    count = len(found)
    made = torch.zeros(2 * count if guided else count, *found.shape[1:], device=found.device)
    made[-count:] = found
    return made
