"""With hypot."""


def edm_factors(sigma, sigma_data):
    c_in = 1 / torch.hypot(sigma, torch.full_like(sigma, sigma_data))
    return (sigma_data * c_in) ** 2, sigma * sigma_data * c_in, c_in
