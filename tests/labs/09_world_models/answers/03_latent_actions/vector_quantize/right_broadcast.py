"""All distances by broadcasting."""


def vector_quantize(z, codebook):
    with torch.no_grad():
        indices = ((z[:, None] - codebook[None]) ** 2).sum(dim=2).min(dim=1).indices
        offset = codebook.index_select(0, indices) - z
    return z + offset, indices
