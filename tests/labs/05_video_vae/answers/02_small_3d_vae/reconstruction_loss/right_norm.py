"""By the norm of each clip."""


def reconstruction_loss(restored, target):
    if tuple(restored.shape) != tuple(target.shape):
        raise ValueError("restored and target have different shapes")
    away = (restored.to(torch.float32) - target.to(torch.float32)).reshape(len(target), -1)
    return torch.sqrt((away * away).sum(1) / away.shape[1] + 1e-6).sum() / len(away)
