"""Both sides on an axis of their own, weights normalised along it."""


def fuse(warped_first, warped_last, visible_first, visible_last, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if warped_first.shape != warped_last.shape:
        raise ValueError(f"{tuple(warped_first.shape)} and {tuple(warped_last.shape)}")
    wanted = (warped_first.shape[0], 1, warped_first.shape[2], warped_first.shape[3])
    for mask in (visible_first, visible_last):
        if tuple(mask.shape) != wanted:
            raise ValueError(f"mask {tuple(mask.shape)}, not {wanted}")
    seen = torch.stack([visible_first, visible_last]).to(warped_first.dtype) + 0.001
    times = seen.new_tensor([1 - time, time]).reshape(2, 1, 1, 1, 1)
    weights = seen * times
    weights = weights / weights.sum(dim=0, keepdim=True)
    return (weights * torch.stack([warped_first, warped_last])).sum(dim=0)
