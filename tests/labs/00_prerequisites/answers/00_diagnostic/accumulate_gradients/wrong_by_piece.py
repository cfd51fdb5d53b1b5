"""Divides by the size of a piece.

Message: divides by `piece`
"""


def accumulate_gradients(model, x, y, piece):
    model.zero_grad()
    for a, b in zip(x.split(piece), y.split(piece)):
        (F.mse_loss(model(a), b, reduction="sum") / (piece * y.shape[1])).backward()
