"""Adds standard deviations.

Message: do not add up
"""


def edm_factors(sigma, sigma_data):
    total = sigma + sigma_data
    return (sigma_data / total) ** 2, sigma * sigma_data / total, 1 / total
