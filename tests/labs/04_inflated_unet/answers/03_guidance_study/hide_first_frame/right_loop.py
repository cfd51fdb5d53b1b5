"""One sample after the other."""


def hide_first_frame(x, level, eps):
    if x.dim() != 5:
        raise ValueError("x has five axes")
    batch, channels, frames, height, width = x.shape
    if tuple(level.shape) != (batch, frames) or tuple(eps.shape) != (batch, channels, 1, height, width):
        raise ValueError("levels or noise do not fit")
    clips, levels = [], []
    for sample, row, noise in zip(x, level, eps):
        s = row.max()
        start = torch.lerp(sample[:, :1], noise, s.to(sample.dtype))
        clips.append(torch.cat([start, sample[:, 1:]], dim=1))
        levels.append(torch.ones_like(row) * s)
    return torch.stack(clips), torch.stack(levels)
