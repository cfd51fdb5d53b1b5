"""By the odds, which grow by the factor r."""


def timestep_transform(t, height, width, num_frames, scale=1.0):
    if num_frames < 1:
        raise ValueError("no frames")
    if num_frames == 1:
        length = 1
    elif num_frames < 17:
        length = (num_frames + 2) // 4 + 1
    else:
        length = 5 * (num_frames // 17)
    r = scale * (height * width * length) ** 0.5 / 512
    return t * r / (t * r + (1 - t))
