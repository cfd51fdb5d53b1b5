"""In bits."""


def codebook_perplexity(indices, size):
    counts = histogram(indices, size)
    p = counts[counts > 0].double() / indices.numel()
    return 2 ** float(-(p * p.log2()).sum())
