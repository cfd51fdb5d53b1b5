"""Takes sigma_data for 0.5, as it is in the paper.

Message: variance 1
"""


def edm_factors(sigma, sigma_data):
    total = (sigma**2 + 0.25).sqrt()
    return 0.25 / total**2, 0.5 * sigma / total, 1 / total
