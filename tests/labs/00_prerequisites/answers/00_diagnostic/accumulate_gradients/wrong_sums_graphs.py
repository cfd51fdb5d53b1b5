"""Sums the losses and calls the model on everything first.

Message: through at once
"""


def accumulate_gradients(model, x, y, piece):
    model.zero_grad()
    out = model(x)
    sum(F.mse_loss(a, b, reduction="sum") for a, b in zip(out.split(piece), y.split(piece))).div(y.numel()).backward()
