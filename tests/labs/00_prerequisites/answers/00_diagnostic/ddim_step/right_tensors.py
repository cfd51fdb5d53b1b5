"""With tensors for the numbers."""


def ddim_step(x, eps, alpha_bar, alpha_bar_next):
    a = torch.tensor([alpha_bar, alpha_bar_next], dtype=x.dtype)
    signal, noise = a.sqrt(), (1 - a).sqrt()
    x0 = x.sub(noise[0] * eps).div(signal[0])
    return x0.mul(signal[1]).add(noise[1] * eps)
