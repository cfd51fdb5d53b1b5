"""As diffusers' pipeline writes it, in two halves."""


def condition_latents(vae, pictures, noise_aug_strength, noise, guided=False):
    if not (noise_aug_strength >= 0) or noise.shape != pictures.shape:
        raise ValueError("a strength from 0, and noise of the pictures' shape")
    image = torch.add(pictures, noise, alpha=noise_aug_strength)
    image_latents = vae.encode(image.to(dtype=vae.dtype)).latent_dist.mode()
    if guided:
        negative = image_latents.new_zeros(image_latents.shape)
        image_latents = torch.cat([negative, image_latents], dim=0)
    return image_latents.to(torch.float32)
