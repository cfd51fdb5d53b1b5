"""Never empties the gradients.

Message: earlier step
"""


def accumulate_gradients(model, x, y, piece):
    for a, b in zip(x.split(piece), y.split(piece)):
        (F.mse_loss(model(a), b) * len(a) / len(x)).backward()
