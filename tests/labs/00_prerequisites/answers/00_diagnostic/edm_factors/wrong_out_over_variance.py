"""Divides c_out by the variance of x.

Message: standard deviation of what is left
"""


def edm_factors(sigma, sigma_data):
    total = (sigma**2 + sigma_data**2).sqrt()
    return sigma_data**2 / total**2, sigma * sigma_data / total**2, 1 / total
