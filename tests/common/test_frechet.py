"""The Fréchet distance: SciPy's matrix root, cases known on paper, and singular covariances."""

import pytest
import torch

from common.evaluation.frechet import feature_statistics, frechet_distance


def random_covariance(dim: int, seed: int, rank: int | None = None) -> torch.Tensor:
    factor = torch.randn(dim, rank or dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return factor @ factor.T / dim


def test_equal_to_the_usual_formula_with_the_eigenvalues_of_the_product():
    mean1, mean2 = torch.randn(2, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cov1, cov2 = random_covariance(12, 1), random_covariance(12, 2)
    root = torch.linalg.eigvals(cov1 @ cov2).sqrt().sum().real  # tr((Σ1 Σ2)^½)
    expected = float((mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * root)
    assert frechet_distance(mean1, cov1, mean2, cov2) == pytest.approx(expected, abs=1e-6)


def test_equal_to_scipys_matrix_root():
    linalg = pytest.importorskip("scipy.linalg", reason="no extra installs SciPy")
    mean1, mean2 = torch.randn(2, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cov1, cov2 = random_covariance(12, 1), random_covariance(12, 2)
    root = linalg.sqrtm((cov1 @ cov2).numpy()).real
    expected = float((mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * root.trace())
    assert frechet_distance(mean1, cov1, mean2, cov2) == pytest.approx(expected, abs=1e-6)


def test_in_one_dimension_it_is_the_difference_of_means_and_of_standard_deviations():
    one = torch.ones(1)
    found = frechet_distance(one * 3, (one * 4)[None], one * 1, (one * 25)[None])
    assert found == pytest.approx((3 - 1) ** 2 + (2 - 5) ** 2)


def test_covariances_that_do_not_commute_are_symmetric_in_their_order():
    mean1, mean2 = torch.zeros(5), torch.ones(5)
    cov1, cov2 = random_covariance(5, 3), random_covariance(5, 4)
    assert frechet_distance(mean1, cov1, mean2, cov2) == pytest.approx(frechet_distance(mean2, cov2, mean1, cov1))


def test_no_distance_to_itself_even_where_the_covariance_is_singular():
    mean, cov = torch.zeros(9), random_covariance(9, 5, rank=2)
    assert frechet_distance(mean, cov, mean, cov) == pytest.approx(0, abs=1e-6)


def test_statistics_of_features():
    features = torch.tensor([[1.0, 2.0], [3.0, 2.0], [5.0, 8.0]])
    mean, cov = feature_statistics(features)
    assert mean.tolist() == [3, 4]
    assert cov.tolist() == [[4, 6], [6, 12]]
    assert cov.dtype == torch.float64


def test_shapes_must_fit():
    with pytest.raises(ValueError, match=r"\(3,\)"):
        frechet_distance(torch.zeros(3), torch.eye(3), torch.zeros(2), torch.eye(2))
