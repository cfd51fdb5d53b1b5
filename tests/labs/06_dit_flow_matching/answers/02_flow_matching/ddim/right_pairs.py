"""Pairs of timesteps; the last one has no next."""


def ddim(predict, x, timesteps, alphas_cumprod, kind="epsilon"):
    sample = x.to(torch.float32)
    each = [t.expand(len(x)) for t in timesteps]
    for index, (now, then) in enumerate(zip(each, each[1:] + [None])):
        level = ddpm_level(now, alphas_cumprod)
        data, noise = split(sample, predict(sample, now).to(torch.float32), kind, level)
        sample = data if then is None else add_noise(data, noise, ddpm_level(then, alphas_cumprod))
        yield Step(index, now, sample, data)
