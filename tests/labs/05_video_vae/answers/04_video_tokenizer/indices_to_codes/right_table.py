"""A table of all codes, and a look-up."""


def indices_to_codes(indices, levels):
    axes = [(torch.arange(count) - count // 2).float() / (count // 2) for count in reversed(levels)]
    table = torch.cartesian_prod(*axes).reshape(-1, len(levels)).flip(1).to(indices.device)
    if indices.numel() and (indices.min() < 0 or indices.max() >= len(table)):
        raise ValueError("there is no such code")
    return table[indices].movedim(-1, 1)
