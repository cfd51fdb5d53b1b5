"""As diffusers' scheduler writes it, into a tensor that is filled."""


def svd_denoise(model, x, sigma, picture, states, time_ids):
    b, c, t, h, w = x.shape
    if sigma.shape != (b,):
        raise ValueError(f"sigma {sigma.shape}")
    if picture.shape != (b, c, h, w):
        raise ValueError(f"picture {picture.shape}")
    sample = x.new_zeros(b, t, 2 * c, h, w)
    for k in range(t):
        sample[:, k, :c] = x[:, :, k] / (sigma**2 + 1).sqrt()[:, None, None, None]
        sample[:, k, c:] = picture
    output = rearrange(model(sample, 0.25 * sigma.log(), states, time_ids).sample, "b t c h w -> b c t h w")
    g = append_dims(sigma, x)
    return output * (-g / (g**2 + 1) ** 0.5) + (x / (g**2 + 1))
