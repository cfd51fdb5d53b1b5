"""The Fréchet distance between two normal distributions: what FID and FVD compute on features of images and clips."""

import torch


def feature_statistics(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean `(D,)` and covariance `(D, D)` of features `(N, D)`, N at least 2, in double precision."""
    features = features.double()
    return features.mean(dim=0), torch.cov(features.T).reshape(features.shape[1], -1)


def frechet_distance(mean1: torch.Tensor, cov1: torch.Tensor, mean2: torch.Tensor, cov2: torch.Tensor) -> float:
    """The squared Fréchet distance of two normal distributions (Dowson, Landau 1982; FID: arXiv:1706.08500).

        d² = |μ1 - μ2|² + tr(Σ1) + tr(Σ2) - 2 tr((Σ1^½ Σ2 Σ1^½)^½)

    Σ1^½ Σ2 Σ1^½ is symmetric, and has the eigenvalues of Σ1 Σ2, whose root the usual formula takes. So eigenvalues of
    symmetric matrices are enough, nothing becomes complex, and singular covariances do no harm.

    Args:
        mean1: μ1, `(D,)`.
        cov1: Σ1, `(D, D)`, symmetric and without negative eigenvalues.
        mean2: μ2.
        cov2: Σ2.

    Returns:
        d², at least 0, computed in double precision.

    Raises:
        ValueError: the shapes do not fit.
    """
    dim = mean1.shape[-1] if mean1.ndim else 0
    if mean1.shape != (dim,) or mean2.shape != (dim,) or cov1.shape != (dim, dim) or cov2.shape != (dim, dim):
        shapes = [tuple(part.shape) for part in (mean1, cov1, mean2, cov2)]
        raise ValueError(f"means are (D,) and covariances (D, D), got {shapes}")
    mean1, cov1, mean2, cov2 = (part.double() for part in (mean1, cov1, mean2, cov2))
    values, vectors = torch.linalg.eigh(cov1)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T  # Σ1^½
    between = root @ cov2 @ root
    trace = torch.linalg.eigvalsh((between + between.T) / 2).clamp(min=0).sqrt().sum()
    distance = (mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * trace
    return max(0.0, float(distance))
