"""A mask for the first frame."""


def hide_first_frame(x, level, eps):
    fits = x.ndim == 5 and level.shape == x.shape[:1] + x.shape[2:3] and eps.shape == x[:, :, :1].shape
    if not fits:
        raise ValueError("x, level and eps do not belong together")
    largest = level.max(dim=1, keepdim=True).values
    s = largest.to(x.dtype)[:, :, None, None, None]
    is_first = (torch.arange(x.shape[2], device=x.device) == 0)[None, None, :, None, None]
    return torch.where(is_first, x + s * (eps - x), x), largest.expand_as(level).clone()
