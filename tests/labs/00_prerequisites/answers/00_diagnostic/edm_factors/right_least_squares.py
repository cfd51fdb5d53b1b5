"""As the least squares that the wishes ask for."""


def edm_factors(sigma, sigma_data):
    data, noise = sigma_data**2, sigma.square()
    skip = data / (data + noise)
    out = ((1 - skip) ** 2 * data + skip**2 * noise).sqrt()
    return skip, out, (data + noise).rsqrt()
