"""Channels moved to the end and back, with the paper's names."""


def bound(z, levels):
    if z.shape[1] != len(levels):
        raise ValueError(f"{tuple(levels)} does not fit {tuple(z.shape)}")
    counts = torch.tensor(list(levels), device=z.device, dtype=z.dtype)
    half_l = (counts - 1) / 2 * (1 + 1e-3)
    offset = 0.5 * (1 - counts % 2)
    shift = 0.5 * torch.log((1 + offset / half_l) / (1 - offset / half_l))
    return ((z.movedim(1, -1) + shift).tanh() * half_l - offset).movedim(-1, 1)
