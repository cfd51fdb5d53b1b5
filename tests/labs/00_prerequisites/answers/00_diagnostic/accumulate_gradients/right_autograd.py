"""By torch.autograd.grad, adding up by hand."""


def accumulate_gradients(model, x, y, piece):
    parameters = list(model.parameters())
    total = [torch.zeros_like(p) for p in parameters]
    for start in range(0, len(x), piece):
        a, b = x[start : start + piece], y[start : start + piece]
        loss = F.mse_loss(model(a), b, reduction="sum") / y.numel()
        total = [t + g for t, g in zip(total, torch.autograd.grad(loss, parameters))]
    for p, t in zip(parameters, total):
        p.grad = t
