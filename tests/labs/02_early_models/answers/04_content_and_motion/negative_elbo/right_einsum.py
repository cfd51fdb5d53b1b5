"""By einsum, and the share at the end."""


def negative_elbo(restored, target, codes, *, num_frames, pixel_std=0.1):
    away = (restored.float() - target.float()) / pixel_std
    costs = {"pixels": 0.5 * torch.einsum("bcthw,bcthw->b", away, away), "motion": codes.motion.kl()}
    costs = {name: cost * num_frames / restored.shape[2] for name, cost in costs.items()}
    return costs | {"content": codes.content.kl()}
