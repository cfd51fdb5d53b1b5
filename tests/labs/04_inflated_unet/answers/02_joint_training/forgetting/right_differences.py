"""The variance of differences, with two halves among them."""


def forgetting(before, after):
    if before.ndim != 1 or after.shape != before.shape or not before.shape[0]:
        raise ValueError(before.shape)
    change = torch.cat([before.double() - after.double(), torch.tensor([1.0, -1.0]) / 2**0.5])  # halves: as squares
    total = len(change)
    middle = change[:-2].sum() / total
    variance = (change.square().sum() - total * middle**2) / total**2
    ends = torch.stack([middle - 1.96 * variance.sqrt(), middle + 1.96 * variance.sqrt()]).clamp(-1, 1)
    was, now = before.double().mean().item(), after.double().mean().item()
    return Forgetting(before=was, after=now, lost=was - now, interval=tuple(ends.tolist()))
