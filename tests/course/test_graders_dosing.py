"""Oracles of lab 03.4 against the library's parts, and that each of their mistakes is one."""

import pytest
import torch

from common.course.graders import dosing
from common.evaluation.motion_dose import dose_response

MISTAKES = {"spearman": [{"ties": "order"}, {"ranked": False}, {"each": "mean"}, {"pooled": True}],
            "slope": [{"log": False}, {"through": "origin"}],
            "error": [{"signed": True}, {"over": "measured"}, {"error": "mean"}]}  # fmt: skip


@pytest.mark.parametrize("part", MISTAKES)
def test_responses_are_alike_and_every_wrong_one_shows(part):
    generator = torch.Generator().manual_seed(0)
    asked = torch.rand(5, 6, generator=generator) + 0.1
    measured = (asked * (0.3 + torch.rand(5, 6, generator=generator))).mul(6).round() / 6
    truth = getattr(dose_response(asked, measured), part)
    assert getattr(dosing.response_of(asked, measured), part) == pytest.approx(truth)
    for how in MISTAKES[part]:
        assert getattr(dosing.response_of(asked, measured, **how), part) != pytest.approx(truth, abs=1e-3), how
