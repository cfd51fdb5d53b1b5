"""Adds up the means of the pieces.

Message: added up
"""


def accumulate_gradients(model, x, y, piece):
    model.zero_grad()
    for a, b in zip(x.split(piece), y.split(piece)):
        F.mse_loss(model(a), b).backward()
