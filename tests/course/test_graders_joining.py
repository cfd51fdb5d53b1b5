"""Oracles of lab 04.2 against the library's parts, and that each of their mistakes is one."""

from functools import partial

import pytest
import torch

from common.course.graders import joining
from common.diffusion.joint_loss import loss_by_kind
from common.evaluation.forgetting import forgetting
from common.layers.packed_images import images_as_clips, present_mask
from common.training import mixed_batches


@pytest.mark.parametrize("count, frames", [(7, 3), (4, 4), (2, 5)])
def test_pictures_are_packed_alike(count, frames):
    images = joining.noise(0, count, 2, 3, 4)
    found = images_as_clips(images, frames)
    torch.testing.assert_close(found.clips, joining.packed(images, frames))
    assert torch.equal(found.present, joining.filled(images, frames))


def test_masks_are_alike_and_every_wrong_rule_shows():
    given = (*joining.cast(1, 3, 5), 2)
    truth = joining.looks(*given)
    assert torch.equal(present_mask(*given), truth)
    for message, rule in joining.ONE_WAY.items():
        assert not torch.equal(joining.looks(*given, rule=rule), truth), message


@pytest.mark.parametrize("part", ["loss", "video", "image"])
def test_losses_are_alike(part):
    given = joining.mistaken(2, 3, 2, 4, 2, 3)
    found = getattr(loss_by_kind(*given, 0.4), part)
    torch.testing.assert_close(found.double(), joining.weighed(*given, 0.4, part=part).double())


def test_batches_pass_and_every_wrong_ratio_shows():
    said, batches = joining.mixed(mixed_batches, 20, 11, 13, 0.3, 7, 0, 2)
    rows = [len(pictures) for _, pictures in batches]
    assert [sum(rows[:n]) for n in range(1, 21)] == [joining.due(0.3, n, 7) for n in range(1, 21)]
    joining.orders(said, [n for clips, _ in batches for n in clips], 11, "clips")
    for message, formulas in joining.RATIO_MISTAKES.items():
        for formula in formulas:
            assert [formula(0.45, n, 5) for n in range(1, 21)] != [joining.due(0.45, n, 5) for n in range(1, 21)], (
                message
            )


def test_orders_that_are_none_are_named():
    with pytest.raises(AssertionError, match="without replacement"):
        joining.orders("mix", [0, 0, 1, 2, 1, 2], 3, "clips")
    with pytest.raises(AssertionError, match="order of their numbers"):
        joining.orders("mix", [1, 2, 0, 2, 0, 1], 3, "clips")
    with pytest.raises(AssertionError, match="same order again"):
        joining.orders("mix", [1, 0, 3, 2, 1, 0, 3, 2], 4, "clips")


def test_intervals_are_alike():
    before, after = (joining.uniform(k, 40, low=0, high=1) < 0.7 for k in (3, 4))
    found = forgetting(before, after)
    torch.testing.assert_close(torch.tensor(found.interval), joining.ends(before, after))
    for part in ("before", "after", "lost"):
        assert getattr(found, part) == pytest.approx(partial(joining.share, part=part)(before, after))
