"""Clips the gradient.

Message: whole batch
"""


def accumulate_gradients(model, x, y, piece):
    model.zero_grad()
    for a, b in zip(x.split(piece), y.split(piece)):
        (F.mse_loss(model(a), b) * len(a) / len(x)).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
