"""Sends the whole batch through.

Message: through at once
"""


def accumulate_gradients(model, x, y, piece):
    model.zero_grad()
    F.mse_loss(model(x), y).backward()
