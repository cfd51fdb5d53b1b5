"""Measures of an autoencoder, on clips whose numbers can be worked out by hand."""

import math

import pytest
import torch

from common.evaluation import psnr
from common.evaluation.reconstruction import Reconstruction, clip_psnr, mean_frame, static_pixels


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture
def target():
    """A white square on black that moves one column a frame, `(2, 3, 5, 6, 8)`; in the second clip it keeps still."""
    clip = -torch.ones(2, 3, 5, 6, 8)
    for frame in range(5):
        clip[0, :, frame, 2:4, frame : frame + 2] = 1
    clip[1, :, :, 2:4, 3:5] = 1
    return clip


def measured(preds, target):
    found = Reconstruction()
    found.add(preds, target)
    return found.result()


def test_each_clip_has_the_psnr_that_it_has_alone():
    target, preds = noise(3, 3, 4, 6, 5), noise(3, 3, 4, 6, 5, seed=1)
    alone = [float(psnr(p, t, data_range=2)) for p, t in zip(preds, target)]
    assert clip_psnr(preds, target, data_range=2).tolist() == pytest.approx(alone, abs=1e-4)


def test_the_mean_is_over_clips_and_not_over_errors():
    target = torch.zeros(2, 1, 1, 2, 2)
    preds = target.clone()
    preds[0], preds[1] = 0.2, 0.02  # 20 dB and 40 dB of a range of 2
    found = measured(preds, target)
    assert found["psnr"] == pytest.approx(30, abs=1e-4) and found["psnr_worst"] == pytest.approx(20, abs=1e-4)


def test_batches_of_any_size_give_the_same():
    target, preds = noise(5, 3, 4, 6, 5), noise(5, 3, 4, 6, 5, seed=1)
    target[:, :, :, :3] = 0.25  # some pixels never change
    parts = Reconstruction()
    for piece in ([0, 1], [2], [3, 4]):
        parts.add(preds[piece], target[piece])
    assert parts.result() == pytest.approx(measured(preds, target), rel=1e-6)


def test_the_original_itself_changes_as_it_should(target):
    found = measured(target, target)
    assert found["psnr"] == math.inf and found["change_ratio"] == 1 and found["static_change"] == 0


def test_half_the_contrast_is_half_the_change(target):
    assert measured(0.5 * target, target)["change_ratio"] == pytest.approx(0.5)


def test_the_mean_frame_does_not_move_at_all(target):
    baseline = mean_frame(target)
    assert measured(baseline, target)["change_ratio"] == 0
    assert torch.allclose(baseline[1], target[1]) and clip_psnr(baseline, target, data_range=2)[0] < 20
    # of all clips that do not move it is the closest
    for other in (target[:, :, :1], target[:, :, 2:3], baseline[:, :, :1] + 0.05):
        assert (
            clip_psnr(other.expand_as(target), target, data_range=2)[0] < clip_psnr(baseline, target, data_range=2)[0]
        )


def test_static_is_what_changes_in_no_frame(target):
    still = static_pixels(target)
    assert still[1].all()
    touched = torch.zeros(6, 8, dtype=torch.bool)
    touched[2:4, 0:6] = True  # the columns that the square comes by
    assert torch.equal(still[0, 0, 0], ~touched)


def test_static_change_is_in_levels_of_255(target):
    """One level up and down again, everywhere: still pixels change by one level a frame."""
    level = 2 / 255
    preds = target + level * (torch.arange(5) % 2)[:, None, None]
    assert measured(preds, target)["static_change"] == pytest.approx(1, abs=1e-3)


def test_static_change_looks_at_static_pixels_alone(target):
    preds = target.clone()
    moved = ~static_pixels(target).expand_as(target)
    preds[moved] = noise(int(moved.sum()))
    assert measured(preds, target)["static_change"] == 0


def test_static_part_counts_them(target):
    assert measured(target, target)["static_part"] == pytest.approx((48 - 12 + 48) / 96)


def test_a_single_frame_has_no_motion_to_speak_of():
    assert measured(noise(2, 3, 1, 4, 4), noise(2, 3, 1, 4, 4, seed=1)).keys() == {"psnr", "psnr_worst"}


def test_what_cannot_be_measured():
    with pytest.raises(ValueError, match="differ in shape"):
        clip_psnr(noise(1, 3, 2, 4, 4), noise(1, 3, 2, 4, 5), data_range=2)
    with pytest.raises(ValueError, match="at least one"):
        clip_psnr(noise(3, 2, 4, 4), noise(3, 2, 4, 4), data_range=2)
    with pytest.raises(ValueError, match="got 0"):
        clip_psnr(noise(1, 3, 2, 4, 4), noise(1, 3, 2, 4, 4), data_range=0)
    with pytest.raises(ValueError, match="no clips"):
        Reconstruction().result()
