"""torch.lerp, and levels by einops."""


def augment_condition(condition, noise_level, noise):
    batch = condition.shape[0]
    levels = torch.tensor(noise_level) if isinstance(noise_level, (int, float)) else noise_level
    levels = levels.float()
    if levels.dim() == 0:
        levels = levels.repeat(batch)
    if tuple(levels.shape) != (batch,):
        raise ValueError("one level, or one per sample")
    if noise.shape != condition.shape:
        raise ValueError("noise and condition have one shape")
    if levels.min() < 0 or levels.max() > 1:
        raise ValueError("levels are from 0 to 1")
    a = rearrange(levels, "b -> b 1 1 1 1").to(condition.dtype).expand_as(condition)
    return torch.lerp(condition, noise.to(condition.dtype), a), levels * 1000.0
