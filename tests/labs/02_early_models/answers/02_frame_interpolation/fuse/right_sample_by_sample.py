"""A loop over batch and channels."""


def fuse(warped_first, warped_last, visible_first, visible_last, time=0.5):
    if not 0 <= time <= 1:
        raise ValueError(f"time {time}")
    if warped_first.shape != warped_last.shape:
        raise ValueError(f"{tuple(warped_first.shape)} and {tuple(warped_last.shape)}")
    wanted = (warped_first.shape[0], 1, warped_first.shape[2], warped_first.shape[3])
    for mask in (visible_first, visible_last):
        if tuple(mask.shape) != wanted:
            raise ValueError(f"mask {tuple(mask.shape)}, not {wanted}")
    samples = []
    for a, b, u, v in zip(warped_first, warped_last, visible_first, visible_last):
        wa = (1 - time) * (u[0].to(a.dtype) + FAINT)
        wb = time * (v[0].to(b.dtype) + FAINT)
        samples.append(torch.stack([(wa * x + wb * y) / (wa + wb) for x, y in zip(a, b)]))
    return torch.stack(samples)
