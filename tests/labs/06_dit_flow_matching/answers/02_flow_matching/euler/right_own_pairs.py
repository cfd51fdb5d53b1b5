"""Checks and pairs the levels by itself."""


def euler(derivative, x, levels):
    if levels.ndim not in (1, 2) or torch.any(levels[1:] > levels[:-1]) or torch.any(levels[-1] != 0):
        raise ValueError(f"bad levels {levels}")
    x = x.float()
    for k in range(len(levels) - 1):
        here = levels[k].float().expand(len(x), *levels.shape[1:])
        step = (levels[k + 1] - levels[k]).float().expand(len(x), *levels.shape[1:])
        d = derivative(x, here).float()
        denoised = x - beside(here, x) * d
        x = x + beside(step, x) * d
        yield Step(k, here, x, denoised)
