"""Calls backward(), which writes gradients into the discriminator's weights.

Message: changes .grad of the discriminator's weights
"""


def gradient_penalty(discriminator, real):
    if len(real) == 0:
        raise ValueError(f"there is no sample to take a gradient at: real is {tuple(real.shape)}")
    real = real.detach().requires_grad_(True)
    discriminator(real).sum().backward(create_graph=True)
    slope = real.grad
    return slope.float().square().flatten(1).sum(dim=1).mean()
