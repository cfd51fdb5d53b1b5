"""Leaves out the shorter last piece.

Message: samples go through
"""


def accumulate_gradients(model, x, y, piece):
    model.zero_grad()
    for n in range(max(len(x) // piece, 1)):
        a, b = x[n * piece : (n + 1) * piece], y[n * piece : (n + 1) * piece]
        (F.mse_loss(model(a), b) * len(a) / len(x)).backward()
