"""Subtracts the network's answer.

Message: the sign is turned around
"""


def edm_factors(sigma, sigma_data):
    total = (sigma**2 + sigma_data**2).sqrt()
    return sigma_data**2 / total**2, -sigma * sigma_data / total, 1 / total
