"""From the definition: each return is a weighted sum of all returns of n steps."""


def lambda_return(rewards, values, continues, *, discount=0.99, trace=0.95):
    batch, steps = rewards.shape
    if continues.shape != rewards.shape or values.shape != (batch, steps + 1):
        raise ValueError("shapes do not fit")
    columns = []
    for start in range(steps):
        total, left, so_far, share = 0, torch.ones_like(rewards[:, 0]), 0, 1.0
        for n in range(1, steps - start + 1):
            so_far = so_far + left * rewards[:, start + n - 1]
            left = left * discount * continues[:, start + n - 1]
            weight = share if start + n == steps else share * (1 - trace)
            total = total + weight * (so_far + left * values[:, start + n])
            share = share * trace
        columns.append(total)
    return torch.stack(columns, dim=1)
