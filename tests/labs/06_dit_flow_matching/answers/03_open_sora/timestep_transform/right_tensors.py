"""Everything as tensors, in double precision."""


def timestep_transform(t, height, width, num_frames, scale=1.0):
    if num_frames <= 0:
        raise ValueError(num_frames)
    groups, rest = divmod(num_frames, 17)
    latents = torch.tensor(float(5 * groups if groups else 1 + -(-(rest - 1) // 4)), dtype=torch.float64)
    area = torch.tensor(float(height) * width, dtype=torch.float64)
    r = scale * (area / 512 / 512 * latents).sqrt()
    exact = t.to(torch.float64)
    return (r * exact / (1 + (r - 1) * exact)).to(t.dtype)
