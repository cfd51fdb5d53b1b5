"""The norm by hand, the draw from mean and std."""


def train_step(model, optimizer, clips, generator=None, *, kl_weight=3e-3, max_grad_norm=1.0):
    for parameter in model.parameters():
        parameter.grad = None
    dist = model.encode(clips).latent_dist
    z = dist.mean + dist.std * torch.randn(dist.mean.shape, generator=generator).to(dist.mean)
    costs = {"error": reconstruction_loss(model.decode(z).sample, clips)}
    costs["kl"] = dist.kl().sum() / clips.numel()
    costs = {"loss": costs["error"] + kl_weight * costs["kl"]} | costs
    costs["loss"].backward()
    slopes = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    length = torch.stack([slope.norm() for slope in slopes]).norm()
    if length > max_grad_norm:
        for slope in slopes:
            slope.mul_(max_grad_norm / length)
    optimizer.step()
    return {name: float(cost.detach()) for name, cost in costs.items()}
