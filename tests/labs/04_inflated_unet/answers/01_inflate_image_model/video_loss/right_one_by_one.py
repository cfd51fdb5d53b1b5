"""Chooses each sample's states in a loop, and averages axis by axis."""


def video_loss(model, x0, eps, sigma, states, no_states, drop_text):
    if tuple(sigma.shape) != (x0.shape[0],):
        raise ValueError(f"one sigma for each clip, got {tuple(sigma.shape)}")
    told = torch.stack([no_states[0] if drop else own for drop, own in zip(drop_text.tolist(), states)])
    s = sigma[:, None, None, None, None]
    signal, noise = 1 / (s**2 + 1).sqrt(), s / (s**2 + 1).sqrt()
    prediction = model(signal * x0 + noise * eps, 0.25 * torch.log(sigma), told).sample
    error = (prediction - (signal * eps - noise * x0)) ** 2
    return error.mean(dim=(1, 2, 3, 4)).float()
