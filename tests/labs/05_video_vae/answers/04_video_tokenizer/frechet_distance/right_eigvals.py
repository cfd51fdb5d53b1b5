"""The usual formula: eigenvalues of the product of the covariances."""


def frechet_distance(mean1, cov1, mean2, cov2):
    if mean1.ndim != 1 or mean2.shape != mean1.shape or cov1.shape != (len(mean1),) * 2 or cov2.shape != cov1.shape:
        raise ValueError("the shapes do not fit")
    a, b = cov1.to(torch.float64), cov2.to(torch.float64)
    roots = torch.linalg.eigvals(a @ b).real.clamp(min=0).sqrt()
    away = mean1.to(torch.float64) - mean2.to(torch.float64)
    return max(float(away @ away + torch.trace(a) + torch.trace(b) - 2 * roots.sum()), 0.0)
