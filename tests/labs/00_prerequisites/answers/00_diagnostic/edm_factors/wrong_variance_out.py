"""Gives the variance of what is left for c_out.

Message: its root
"""


def edm_factors(sigma, sigma_data):
    total = (sigma**2 + sigma_data**2).sqrt()
    return sigma_data**2 / total**2, (sigma * sigma_data / total) ** 2, 1 / total
