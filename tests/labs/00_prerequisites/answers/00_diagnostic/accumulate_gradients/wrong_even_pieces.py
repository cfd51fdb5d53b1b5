"""Counts every piece the same.

Message: shorter last piece
"""


def accumulate_gradients(model, x, y, piece):
    model.zero_grad()
    pieces = x.split(piece)
    for a, b in zip(pieces, y.split(piece)):
        (F.mse_loss(model(a), b) / len(pieces)).backward()
