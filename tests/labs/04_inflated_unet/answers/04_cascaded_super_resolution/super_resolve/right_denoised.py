"""From step to step by way of the estimate of x0."""


def super_resolve(model, condition, noise, condition_noise, noise_level=0.2, num_inference_steps=8, shift=1.0):
    if tuple(noise.shape) != tuple(condition.shape):
        raise ValueError("noise and condition differ in shape")
    clip, level = augment_condition(condition, noise_level, condition_noise)
    levels = flow_levels(num_inference_steps, shift).tolist()
    x = noise.to(torch.float32)
    for s, after in zip(levels[:-1], levels[1:]):
        velocity = model(x, torch.full((len(x),), 1000 * s), clip, level).sample.float()
        x0, eps = x - s * velocity, x + (1 - s) * velocity
        x = (1 - after) * x0 + after * eps
    return x
