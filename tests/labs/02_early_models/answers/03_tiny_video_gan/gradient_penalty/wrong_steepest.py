"""The steepest sample alone instead of the mean.

Message: differs from sample to sample
"""


def gradient_penalty(discriminator, real):
    if len(real) == 0:
        raise ValueError(f"there is no sample to take a gradient at: real is {tuple(real.shape)}")
    leaf = real.detach().clone().requires_grad_()
    scores = discriminator(leaf)
    slope = torch.autograd.grad(scores, leaf, grad_outputs=torch.ones_like(scores), create_graph=True)[0]
    return slope.reshape(len(slope), -1).pow(2).sum(1).max()
