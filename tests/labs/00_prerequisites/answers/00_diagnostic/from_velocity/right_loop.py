"""Picture by picture."""


def from_velocity(x, velocity, s):
    pairs = [(a - t * v, a + (1 - t) * v) for a, v, t in zip(x, velocity, s)]
    return torch.stack([p[0] for p in pairs]), torch.stack([p[1] for p in pairs])
