"""All squares summed, divided by the number of samples."""


def gradient_penalty(discriminator, real):
    if len(real) == 0:
        raise ValueError(f"there is no sample to take a gradient at: real is {tuple(real.shape)}")
    leaf = torch.empty_like(real).copy_(real.detach())
    leaf.requires_grad = True
    with torch.enable_grad():
        total = discriminator(leaf).sum()
    slope = torch.autograd.grad([total], [leaf], create_graph=True)[0]
    return (slope * slope).sum() / len(real)
