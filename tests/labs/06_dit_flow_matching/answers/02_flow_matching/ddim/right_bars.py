"""The factors by hand; ᾱ is 1 after the last timestep."""


def ddim(predict, x, timesteps, alphas_cumprod, kind="epsilon"):
    x = x.float()
    bars = torch.cat([alphas_cumprod[timesteps], torch.ones(1)])
    for k, t in enumerate(timesteps):
        here = t.repeat(len(x))
        x0, eps = split(x, predict(x, here).float(), kind, ddpm_level(here, alphas_cumprod))
        x = bars[k + 1].sqrt() * x0 + (1 - bars[k + 1]).sqrt() * eps
        yield Step(k, here, x, x0)
