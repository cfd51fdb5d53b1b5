"""By einsum."""


def diffuse(x0, eps, alpha_bar):
    return torch.einsum("b,bchw->bchw", alpha_bar.sqrt(), x0) + torch.einsum(
        "b,bchw->bchw", (1 - alpha_bar).sqrt(), eps
    )
