"""Flattens by view, which fails for other memory layouts.

Message: RuntimeError
"""


def error_per_frame(preds, target, *, data_range, power=2):
    if preds.shape != target.shape or preds.ndim != 5:
        raise ValueError("shapes")
    if not data_range > 0:
        raise ValueError("range")
    error = (preds.float() - target.float()).abs() / data_range
    return (
        (preds.float().view(-1) - target.float().view(-1))
        .abs()
        .div(data_range)
        .view(preds.shape)
        .pow(power)
        .sum(dim=(1, 3, 4))
        .mean(dim=0)
    )
