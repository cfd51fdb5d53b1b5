"""Lets x through in proportion to the noise.

Message: share of the *noise*
"""


def edm_factors(sigma, sigma_data):
    total = (sigma**2 + sigma_data**2).sqrt()
    return sigma**2 / total**2, sigma * sigma_data / total, 1 / total
