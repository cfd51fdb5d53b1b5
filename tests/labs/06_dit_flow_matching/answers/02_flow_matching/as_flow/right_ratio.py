"""s first, then the scale."""


def as_flow(x, level):
    s = level.noise / (level.signal + level.noise)
    scale = 1 / (level.signal + level.noise)
    return beside(scale, x) * x, s
