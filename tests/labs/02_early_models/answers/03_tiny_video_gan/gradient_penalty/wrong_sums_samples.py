"""Sums over the samples.

Message: samples are summed
"""


def gradient_penalty(discriminator, real):
    if len(real) == 0:
        raise ValueError(f"there is no sample to take a gradient at: real is {tuple(real.shape)}")
    real = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
    return slope.float().square().flatten(1).sum()
