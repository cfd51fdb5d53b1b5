"""Takes the root of the data's share.

Message: root of the data's share
"""


def edm_factors(sigma, sigma_data):
    total = (sigma**2 + sigma_data**2).sqrt()
    return sigma_data / total, sigma * sigma_data / total, 1 / total
