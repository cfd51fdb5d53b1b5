"""A loop of its own, without derivative."""


def svd_sample(denoise, x, sigmas, guidance_scale=None):
    if sigmas.ndim != 1 or sigmas[-1] != 0 or (sigmas[1:] > sigmas[:-1]).any():
        raise ValueError("levels fall to 0")
    if guidance_scale is not None and tuple(guidance_scale.shape) != (x.shape[2],):
        raise ValueError("one scale for each frame")
    x, count = x.to(torch.float32), len(x)
    for k in range(len(sigmas) - 1):
        sigma, after = float(sigmas[k]), float(sigmas[k + 1])
        level = torch.full((count,), sigma, device=x.device)
        if guidance_scale is None:
            estimate = denoise(x, level).float()
        else:
            found = denoise(x.repeat(2, 1, 1, 1, 1), level.repeat(2)).float()
            g = guidance_scale.float().view(1, 1, -1, 1, 1)
            estimate = (1 - g) * found[:count] + g * found[count:]
        x = estimate + after / sigma * (x - estimate)
        yield Step(k, level, x, estimate)
