"""The formula by hand, with a product for the pictures."""


def i2v_loss(model, x0, eps, sigma, picture, states, time_ids, no_states, drop_picture, drop_text):
    keep_picture = (~drop_picture).to(picture.dtype)[:, None, None, None]
    told = states.clone()
    told[drop_text] = no_states
    x = x0 + sigma[:, None, None, None, None] * eps
    estimate = svd_denoise(model, x, sigma, picture * keep_picture, told, time_ids)
    error = (estimate - x0).pow(2).mean(dim=(1, 2, 3, 4))
    return (1 + 1 / sigma**2) * error
