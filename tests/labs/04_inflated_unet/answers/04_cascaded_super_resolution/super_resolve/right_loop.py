"""Euler's method by hand."""


@torch.no_grad()
def super_resolve(model, condition, noise, condition_noise, noise_level=0.2, num_inference_steps=8, shift=1.0):
    if noise.shape != condition.shape:
        raise ValueError("the noise has another shape than the condition")
    seen, told = augment_condition(condition, noise_level, condition_noise)
    levels = flow_levels(num_inference_steps, shift).to(condition.device)
    x = noise.float()
    for k in range(num_inference_steps):
        s = levels[k].repeat(x.shape[0])
        velocity = model(x, 1000.0 * s, seen, told).sample.float()
        x = x + (levels[k + 1] - levels[k]) * velocity
    return x
