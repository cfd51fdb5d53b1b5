"""As a whole number."""


def latent_ratio():
    return 48
