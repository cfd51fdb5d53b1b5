"""Digit by digit: take one off, divide, go on."""


def indices_to_codes(indices, levels):
    total = 1
    for count in levels:
        total *= count
    if bool(((indices < 0) | (indices >= total)).any()):
        raise ValueError(f"an index is outside of 0 to {total - 1}")
    rest, found = indices, []
    for count in levels:
        digit = rest % count
        rest = torch.div(rest, count, rounding_mode="floor")
        found.append((digit - count // 2).to(torch.float32) / (count // 2))
    return torch.stack(found, dim=1)
