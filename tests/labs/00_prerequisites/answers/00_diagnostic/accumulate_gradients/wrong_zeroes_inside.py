"""Empties the gradients before each piece.

Message: whole batch
"""


def accumulate_gradients(model, x, y, piece):
    for a, b in zip(x.split(piece), y.split(piece)):
        model.zero_grad()
        (F.mse_loss(model(a), b) * len(a) / len(x)).backward()
