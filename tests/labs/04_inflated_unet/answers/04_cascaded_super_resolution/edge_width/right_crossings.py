"""All crossings of every pair of neighbours at once, then the first and the last that count."""


def edge_width(profiles):
    if profiles.ndim != 2 or profiles.size(1) < 2 or (profiles[:, 0] == profiles[:, -1]).any():
        raise ValueError("a profile needs two ends that differ")
    height = (profiles - profiles[:, :1]) / (profiles[:, -1:] - profiles[:, :1])
    a, b = height[:, :-1], height[:, 1:]
    left = torch.arange(a.shape[1], dtype=height.dtype)
    up = left + (0.9 - a) / (b - a)
    top = torch.where((a < 0.9) & (b >= 0.9), up, torch.inf).amin(dim=1, keepdim=True)
    down = left + (0.1 - a) / (b - a)
    passes = (a <= 0.1) & (b > 0.1) & (down <= top)
    bottom = torch.where(passes, down, -torch.inf).amax(dim=1, keepdim=True)
    return (top - bottom).squeeze(1)
