"""By temporal differences: R_t - v'_t adds up errors that fade by γ c λ, as GAE does."""


def lambda_return(rewards, values, continues, *, discount=0.99, trace=0.95):
    if rewards.shape != continues.shape or values.shape[:1] != rewards.shape[:1] or values.shape[1] != rewards.shape[1] + 1:
        raise ValueError("H rewards, H continues and H + 1 values are needed")
    one_step = rewards + discount * continues * values[:, 1:]
    errors = one_step[:, 1:] - values[:, 1:-1]
    extra, columns = torch.zeros_like(rewards[:, 0]), []
    for t in range(rewards.shape[1] - 1, -1, -1):
        if t < rewards.shape[1] - 1:
            extra = discount * trace * continues[:, t] * (errors[:, t] + extra)
        columns.insert(0, one_step[:, t] + extra)
    return torch.stack(columns, dim=1)
