"""One frame after the other."""


def error_per_frame(preds, target, *, data_range, power=2):
    if preds.shape != target.shape or preds.ndim != 5:
        raise ValueError(f"shapes {tuple(preds.shape)} and {tuple(target.shape)}")
    if not data_range > 0:
        raise ValueError(f"data_range is {data_range}")
    errors = []
    for pred, true in zip(preds.unbind(dim=2), target.unbind(dim=2)):
        difference = (pred.double() - true.double()) / data_range
        errors.append(difference.abs().pow(power).sum() / len(preds))
    return torch.stack(errors).float()
