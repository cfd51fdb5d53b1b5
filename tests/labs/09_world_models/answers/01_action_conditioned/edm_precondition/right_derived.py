"""c_out from c_skip, as the derivation has it."""


def edm_precondition(sigma, sigma_data=0.5):
    data = torch.full_like(sigma, sigma_data)
    total = torch.hypot(sigma, data)
    c_skip = (data / total) ** 2
    c_out = torch.hypot((1 - c_skip) * data, c_skip * sigma)
    return Preconditioning(c_skip=c_skip, c_out=c_out, c_in=total.reciprocal(), c_noise=torch.log(sigma) / 4)
