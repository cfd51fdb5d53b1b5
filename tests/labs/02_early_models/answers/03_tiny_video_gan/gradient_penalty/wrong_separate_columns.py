"""Adds the penalties of the scores, not the scores.

Message: should be
"""


def gradient_penalty(discriminator, real):
    if len(real) == 0:
        raise ValueError("no sample")
    x = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(x).reshape(len(x), -1).pow(1).sum(), x, create_graph=True)
    y = discriminator(x).reshape(len(x), -1)
    return sum(
        torch.autograd.grad(y[:, k].sum(), x, create_graph=True)[0].square().flatten(1).sum(1)
        for k in range(y.shape[1])
    ).mean()
