"""A paired sweep gives every cell the same noise; a Pareto front is what nothing dominates."""

import numpy as np
import pytest
import torch

from common.evaluation.sweep import paired_sweep, pareto_front


def test_cells_differ_by_their_settings_alone():
    def measure(row, column, generators):
        return {"sum": [row + 10 * column + torch.rand((), generator=g).item() for g in generators]}

    grid = paired_sweep(measure, [1, 2, 3], [4, 5], [7, 8])["sum"]
    noise = grid - (np.array([1, 2, 3])[:, None, None] + 10 * np.array([4, 5])[None, :, None])
    assert grid.shape == (3, 2, 2)
    assert np.allclose(noise, noise[0, 0]) and noise[0, 0, 0] != pytest.approx(noise[0, 0, 1])


def test_a_front_holds_no_point_that_another_beats():
    points = np.random.default_rng(0).integers(0, 6, (40, 3))
    front = pareto_front(points)
    for n, point in enumerate(points):
        beaten = any((q >= point).all() and (q > point).any() for q in points)
        assert front[n] == (not beaten)


def test_equal_points_are_all_kept():
    assert pareto_front(np.array([[1, 2], [1, 2], [0, 2]])).tolist() == [True, True, False]


@pytest.mark.parametrize("axes", [([], [1], [1]), ([1], [], [1]), ([1], [1], [])])
def test_an_empty_grid_is_refused(axes):
    with pytest.raises(ValueError, match="cells"):
        paired_sweep(lambda *_: {"x": [1]}, *axes)


def test_points_with_nan_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        pareto_front(np.array([[np.nan, 1.0]]))
