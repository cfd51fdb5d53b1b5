"""Time to the front, everything else flat."""


def error_per_frame(preds, target, *, data_range, power=2):
    if preds.shape != target.shape or preds.ndim != 5:
        raise ValueError(f"shapes {tuple(preds.shape)} and {tuple(target.shape)}")
    if not data_range > 0:
        raise ValueError(f"data_range is {data_range}")
    difference = (preds.float() - target.float()).transpose(0, 2).flatten(1) / data_range  # (T, C B H W)
    size = difference.abs() if power == 1 else difference * difference
    return size.sum(dim=1) / preds.shape[0]
