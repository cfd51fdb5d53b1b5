"""Takes the slope at zero.

Message: slope at 0
"""


def gradient_penalty(discriminator, real):
    if len(real) == 0:
        raise ValueError(f"there is no sample to take a gradient at: real is {tuple(real.shape)}")
    real = torch.zeros_like(real).requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
    return slope.float().square().flatten(1).sum(dim=1).mean()
