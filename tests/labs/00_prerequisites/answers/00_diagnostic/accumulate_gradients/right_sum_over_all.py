"""Sums of squares over the number of all."""


def accumulate_gradients(model, x, y, piece):
    for p in model.parameters():
        p.grad = None
    for a, b in zip(x.split(piece), y.split(piece)):
        loss = (model(a) - b).pow(2).sum() / y.numel()
        loss.backward()
