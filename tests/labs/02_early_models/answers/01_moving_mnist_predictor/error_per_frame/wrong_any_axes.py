"""Checks that the shapes agree, and not that they are those of clips.

Message: which are no clips
"""


def error_per_frame(preds, target, *, data_range, power=2):
    if preds.shape != target.shape:
        raise ValueError(f"shapes {tuple(preds.shape)} and {tuple(target.shape)}")
    if not data_range > 0:
        raise ValueError(f"data_range is {data_range}")
    return ((preds.float() - target.float()) / data_range).abs().pow(power).transpose(0, 2).flatten(1).sum(dim=1) / len(
        preds
    )
