"""Sums the squares over a sample's numbers.

Message: squares are summed
"""


def accumulate_gradients(model, x, y, piece):
    model.zero_grad()
    for a, b in zip(x.split(piece), y.split(piece)):
        ((model(a) - b).square().sum() / len(x)).backward()
