"""Picture by picture."""


def diffuse(x0, eps, alpha_bar):
    return torch.stack([a.sqrt() * x + (1 - a).sqrt() * e for x, e, a in zip(x0, eps, alpha_bar)])
