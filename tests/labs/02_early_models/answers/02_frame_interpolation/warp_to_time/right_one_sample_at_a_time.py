"""Goes through the batch, and mixes flows as weighted sums."""


def warp_to_time(first, last, forward, backward, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if first.shape != last.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(last.shape)}")
    out_first, out_last = [], []
    for a, b, there, back in zip(first, last, forward, backward):
        weights = torch.tensor([1 - time, time], dtype=there.dtype)
        mixed = torch.einsum("k,kchw->chw", weights, torch.stack([there, -back]))
        out_first.append(warp(a[None], -time * mixed[None]))
        out_last.append(warp(b[None], (1 - time) * mixed[None]))
    return torch.cat(out_first), torch.cat(out_last)
