"""Noise by torch, levels as floats, the step as a mix of sample and estimate."""


def sample_next(model, past, actions, num_steps=2, *, context_noise=0.0, generator=None, eps=None):
    level = torch.full((len(past),), context_noise, dtype=past.dtype, device=past.device)
    if context_noise:
        past = corrupt_context(past, level, randn_tensor(past.shape, generator, past.device, past.dtype))
    if eps is None:
        eps = randn_tensor(past[:, :, 0].shape, generator, past.device, torch.float32)
    sigmas = world_sigmas(num_steps, model.config.sigma_max).tolist()
    x = eps * sigmas[0]
    for k in range(num_steps):
        now = torch.full((len(x),), sigmas[k], device=x.device)
        x0 = denoise(model, x, now, past, actions, level)
        part = sigmas[k + 1] / sigmas[k]
        x = part * x + (1 - part) * x0
    return quantize(x)
