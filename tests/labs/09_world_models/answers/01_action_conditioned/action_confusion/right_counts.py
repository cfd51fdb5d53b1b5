"""Counts pair by pair."""


def action_confusion(probe, last, matrix):
    batch, count = matrix.shape[:2]
    table = torch.zeros(count, count)
    for told in range(count):
        with torch.no_grad():
            seen = probe(last, matrix[:, told]).argmax(-1)
        table[told] = torch.bincount(seen, minlength=count) / batch
    return table
