"""Plain Python for the ranks, covariance for the slope."""


def dose_response(asked, measured):
    if asked.ndim != 2 or asked.shape[1] < 2 or asked.shape != measured.shape:
        raise ValueError(f"{asked.shape} and {measured.shape}")
    asked, measured = asked.to(torch.float64), measured.to(torch.float64)

    def ranks(row):
        row = row.tolist()
        return torch.tensor([sum(b < a for b in row) + 0.5 * sum(b == a for b in row) for a in row], dtype=torch.float64)

    rhos = []
    for x, y in zip(asked, measured):
        x, y = ranks(x) - ranks(x).mean(), ranks(y) - ranks(y).mean()
        size = x.norm() * y.norm()
        rhos.append((x @ y / size) if size > 0 else torch.tensor(0.0, dtype=torch.float64))
    pairs = torch.stack([asked.flatten().log(), measured.flatten().clamp(1e-3).log()])
    both = torch.cov(pairs)
    error = torch.abs(measured - asked) / asked
    return DoseResponse(torch.stack(rhos).median().item(), (both[0, 1] / both[0, 0]).item(), error.median().item())
