"""Factor by factor."""


def latent_ratio():
    return 8 * 8 * 3 / 4
