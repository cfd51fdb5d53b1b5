"""One sample after the other."""


def i2v_loss(model, x0, eps, sigma, picture, states, time_ids, no_states, drop_picture, drop_text):
    found = []
    for b in range(len(x0)):
        one = slice(b, b + 1)
        shown = torch.zeros_like(picture[one]) if drop_picture[b] else picture[one]
        told = no_states if drop_text[b] else states[one]
        denoise = lambda x, s, shown=shown, told=told, one=one: svd_denoise(model, x, s, shown, told, time_ids[one])  # noqa: E731
        found.append(edm_loss(denoise, x0[one], eps[one], sigma[one], 1.0))
    return torch.cat(found)
