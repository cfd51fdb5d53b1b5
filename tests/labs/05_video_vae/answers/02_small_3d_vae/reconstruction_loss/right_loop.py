"""Clip by clip, in double precision."""


def reconstruction_loss(restored, target):
    if restored.shape != target.shape:
        raise ValueError(f"{restored.shape} is not {target.shape}")
    errors = [torch.nn.functional.mse_loss(a.double(), b.double()) for a, b in zip(restored, target)]
    return torch.stack([(error + 1e-6) ** 0.5 for error in errors]).mean().float()
