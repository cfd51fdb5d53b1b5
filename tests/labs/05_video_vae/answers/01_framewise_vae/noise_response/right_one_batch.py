"""All levels as one batch.
"""


@torch.no_grad()
def noise_response(restore, images, noise, levels=(0, 1, 3, 6)):
    scale = torch.tensor(list(levels), dtype=noise.dtype).reshape(-1, 1, 1, 1, 1, 1) / 127.5
    stills = images.unsqueeze(2).expand(noise.shape)
    noisy = (stills + scale * noise).flatten(0, 1)
    change = change_of_error(restore(noisy), stills.repeat(len(levels), 1, 1, 1, 1))
    return change.unflatten(0, (len(levels), len(images)))
