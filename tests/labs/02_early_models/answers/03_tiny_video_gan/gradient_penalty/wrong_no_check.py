"""Takes a batch without samples.

Message: ValueError
"""


def gradient_penalty(discriminator, real):
    real = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
    return slope.float().square().flatten(1).sum(dim=1).mean()
