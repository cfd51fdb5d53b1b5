"""From the variance of x."""


def edm_precondition(sigma, sigma_data=0.5):
    variance = sigma.square() + sigma_data * sigma_data
    c_skip = sigma_data * sigma_data / variance
    c_out = sigma * sigma_data * variance.rsqrt()
    return c_skip, c_out, variance.rsqrt(), 0.25 * torch.log(sigma)
