"""Squares by einsum, absolute values by norm."""


def error_per_frame(preds, target, *, data_range, power=2):
    if preds.shape != target.shape or preds.ndim != 5:
        raise ValueError(f"shapes {tuple(preds.shape)} and {tuple(target.shape)}")
    if not data_range > 0:
        raise ValueError(f"data_range is {data_range}")
    difference = (preds.float() - target.float()) / data_range
    if power == 2:
        return torch.einsum("bcthw,bcthw->t", difference, difference) / len(preds)
    return torch.linalg.vector_norm(difference, ord=1, dim=(0, 1, 3, 4)) / len(preds)
