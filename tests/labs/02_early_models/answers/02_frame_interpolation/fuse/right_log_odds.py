"""The share of the last picture is a sigmoid of log odds."""


def fuse(warped_first, warped_last, visible_first, visible_last, time=0.5):
    if time < 0 or time > 1:
        raise ValueError(f"time {time}")
    if warped_first.shape != warped_last.shape or warped_first.dim() != 4:
        raise ValueError(f"pictures {tuple(warped_first.shape)} and {tuple(warped_last.shape)}")
    b, _, h, w = warped_first.shape
    if visible_first.shape != (b, 1, h, w) or visible_last.shape != (b, 1, h, w):
        raise ValueError(f"masks {tuple(visible_first.shape)} and {tuple(visible_last.shape)}")
    if time in (0, 1):
        return (warped_first if time == 0 else warped_last).clone()
    v0, v1 = visible_first.to(warped_first.dtype) + FAINT, visible_last.to(warped_first.dtype) + FAINT
    share = torch.sigmoid(v1.log() - v0.log() + math.log(time / (1 - time)))
    return warped_first + share * (warped_last - warped_first)
