"""Divides the input by sigma alone.

Message: divides by sigma alone
"""


def edm_factors(sigma, sigma_data):
    total = (sigma**2 + sigma_data**2).sqrt()
    return sigma_data**2 / total**2, sigma * sigma_data / total, 1 / sigma
