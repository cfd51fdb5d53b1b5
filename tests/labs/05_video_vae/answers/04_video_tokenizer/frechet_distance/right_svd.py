"""The trace of the root as the nuclear norm of Σ1^½ Σ2^½."""


def frechet_distance(mean1, cov1, mean2, cov2):
    n = mean1.shape[0] if mean1.dim() == 1 else -1
    if [tuple(x.shape) for x in (mean1, cov1, mean2, cov2)] != [(n,), (n, n), (n,), (n, n)]:
        raise ValueError(f"shapes do not fit: {tuple(mean1.shape)}, {tuple(cov1.shape)}")

    def root(cov):
        values, vectors = torch.linalg.eigh(cov.double())
        return vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T

    overlap = torch.linalg.svdvals(root(cov1) @ root(cov2)).sum()
    square = (mean1.double() - mean2.double()).pow(2).sum()
    return max(0.0, (square + cov1.double().trace() + cov2.double().trace() - 2 * overlap).item())
