"""Empties the discriminator's gradients.

Message: changes .grad
"""


def gradient_penalty(discriminator, real):
    if len(real) == 0:
        raise ValueError("no sample")
    discriminator.zero_grad()
    x = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return slope.float().square().flatten(1).sum(dim=1).mean()
