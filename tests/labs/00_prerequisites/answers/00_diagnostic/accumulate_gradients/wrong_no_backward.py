"""Only adds up the losses.

Message: without a gradient
"""


def accumulate_gradients(model, x, y, piece):
    model.zero_grad()
    total = 0.0
    for a, b in zip(x.split(piece), y.split(piece)):
        total = total + F.mse_loss(model(a), b).item() * len(a) / len(x)
    return total
