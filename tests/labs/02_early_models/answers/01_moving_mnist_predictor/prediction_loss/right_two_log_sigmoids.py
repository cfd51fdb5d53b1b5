"""The definition, by logarithms that know the sigmoid."""


def prediction_loss(logits, target):
    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
    x = target.double().add(1).div(2)
    z = logits.double()
    return -(x * F.logsigmoid(z) + (1 - x) * F.logsigmoid(-z)).mean().float()
