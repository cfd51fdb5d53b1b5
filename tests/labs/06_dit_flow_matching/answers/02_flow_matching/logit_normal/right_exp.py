"""By the formula."""


def logit_normal(z, mean=0.0, std=1.0):
    return 1 / (1 + torch.exp(-(mean + std * z)))
