"""einops' reduce."""


def mean_frame(clip):
    if clip.dim() != 4:
        raise ValueError("a clip has four axes")
    from einops import reduce

    return reduce(clip, "c t h w -> c 1 h w", "mean")
