"""Compares with all actions at once."""


@torch.no_grad()
def action_confusion(probe, last, matrix):
    count = matrix.shape[1]
    pairs = last.repeat_interleave(count, dim=0), matrix.flatten(0, 1)
    seen = probe(*pairs).argmax(dim=1).unflatten(0, (-1, count))
    return (seen[:, :, None] == torch.arange(count)).float().mean(0)
