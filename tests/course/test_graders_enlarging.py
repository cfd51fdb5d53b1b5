"""The doubles of lab 04.4 are what they say."""

import torch
from torch.nn import functional as F

from common.course.graders.enlarging import ConditionedFlow, crossing_places, edges, extremes, linear_weights, rises


def test_the_matrix_is_pytorchs_interpolation():
    row = torch.randn(1, 1, 1, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for factor in (1, 2, 3):
        for how, given in (({"mode": "bilinear"}, {}), ({"mode": "nearest"}, {"nearest": True}),
                           ({"mode": "bilinear", "align_corners": True}, {"corners": True})):  # fmt: skip
            want = F.interpolate(row, size=(1, 5 * factor), **how)[0, 0, 0]
            assert torch.allclose(linear_weights(5, factor, **given) @ row[0, 0, 0], want)


def test_the_flow_uses_all_four_inputs_and_keeps_a_log():
    flow, x, c = ConditionedFlow(), torch.ones(2, 1, 1, 1, 1), torch.full((2, 1, 1, 1, 1), 2.0)
    base = flow(x, torch.tensor([500.0, 0.0]), c, torch.tensor([200.0, 200.0])).sample.flatten()
    assert torch.allclose(base, torch.tensor([0.8 - 2.0 - 0.21, 0.6 - 1.0 + 0.14]))
    assert len(flow.calls) == 1 and flow.calls[0][1].tolist() == [200.0, 200.0]


def test_profiles_rise_and_fall_and_cross_where_lines_do():
    profiles = edges(0, 4, 15)
    assert profiles.shape == (4, 15)
    assert [bool(row[-1] > row[0]) for row in profiles] == [True, False, True, False]
    assert crossing_places([0.0, 1.0, 0.0, 1.0], 0.25, (0.0, 1.0)) == [0.25, 1.75, 2.25]
    assert crossing_places([2.0, 0.0], 0.5, (2.0, 0.0), whole=True) == [1]


def test_a_step_rises_in_four_fifths_of_a_pixel():
    step = torch.tensor([[0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    assert torch.allclose(rises(step), torch.tensor([0.8, 0.8], dtype=torch.float64))
    ringing = torch.tensor([[0.0, 0.3, 0.0, 1.2, 0.5, 1.0]])
    assert rises(ringing).item() < rises(ringing, last_high=True).item()
    assert rises(ringing).item() < rises(ringing, first_low=True).item()
    assert extremes([0.0, 1.2, 1.0]) == (0.0, 1.2) and extremes([1.0, -0.1, 0.0]) == (1.0, -0.1)
