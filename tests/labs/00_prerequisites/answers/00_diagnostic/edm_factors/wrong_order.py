"""Hands back c_in before c_out.

Message: variance 1
"""


def edm_factors(sigma, sigma_data):
    total = (sigma**2 + sigma_data**2).sqrt()
    return sigma_data**2 / total**2, 1 / total, sigma * sigma_data / total
