"""One sample after the other."""


def augment_condition(condition, noise_level, noise):
    if list(noise.shape) != list(condition.shape):
        raise ValueError("other noise")
    if isinstance(noise_level, torch.Tensor) and noise_level.ndim > 0:
        if noise_level.ndim != 1 or len(noise_level) != len(condition):
            raise ValueError("other levels")
        numbers = [float(a) for a in noise_level]
    else:
        numbers = [float(noise_level)] * len(condition)
    if any(not 0 <= a <= 1 for a in numbers):
        raise ValueError("a level is from 0 to 1")
    mixed = [(1 - a) * clip + a * eps for a, clip, eps in zip(numbers, condition, noise)]
    return torch.stack(mixed).to(condition.dtype), torch.tensor([1000 * a for a in numbers])
