"""By the estimate of the clip and EDM's weight."""


def video_loss(model, x0, eps, sigma, states, no_states, drop_text):
    if sigma.ndim != 1 or len(sigma) != len(x0):
        raise ValueError("sigma is (B,)")
    keep = (~drop_text).to(states.dtype)[:, None, None]
    told = keep * states + (1 - keep) * no_states
    s = append_dims(sigma, x0)
    noisy = x0 + s * eps
    v = model(noisy / torch.sqrt(1 + s**2), sigma.log() / 4, told).sample
    estimate = noisy / (1 + s**2) - s / torch.sqrt(1 + s**2) * v
    error = (estimate - x0).square().flatten(1).mean(1)
    return error * (sigma**2 + 1) / sigma**2
