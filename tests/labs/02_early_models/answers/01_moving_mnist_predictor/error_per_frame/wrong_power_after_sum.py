"""Takes the power of the sum.

Message: (|preds - target| / data_range)^power
"""


def error_per_frame(preds, target, *, data_range, power=2):
    if preds.shape != target.shape or preds.ndim != 5:
        raise ValueError("shapes")
    if not data_range > 0:
        raise ValueError("range")
    error = (preds.float() - target.float()).abs() / data_range
    return error.sum(dim=(1, 3, 4)).pow(power).mean(dim=0)
