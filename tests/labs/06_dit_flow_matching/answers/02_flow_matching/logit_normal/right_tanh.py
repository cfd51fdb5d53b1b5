"""Half a hyperbolic tangent."""


def logit_normal(z, mean=0.0, std=1.0):
    logit = z * std + mean
    return 0.5 * (1 + (logit / 2).tanh())
