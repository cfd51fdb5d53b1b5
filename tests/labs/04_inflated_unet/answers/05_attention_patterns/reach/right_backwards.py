"""All states first, then from the last layer to the first, so that the first one wins."""


def reach(layers, x, change, tolerance=1e-9):
    n = len(x)
    batch = torch.cat([x[None], x[None] + torch.eye(n, dtype=x.dtype)[:, :, None] * change])  # the first is plain
    states = [batch]
    for layer in layers:
        states.append(layer(states[-1]))
    result = torch.full((n, n), torch.inf)
    for depth in reversed(range(1, len(states))):
        state = states[depth].detach()
        differs = (state[1:] - state[:1]).abs().amax(dim=2) > tolerance
        result = torch.where(differs, torch.tensor(float(depth)), result)
    return result.masked_fill(torch.eye(n).bool(), 0)
