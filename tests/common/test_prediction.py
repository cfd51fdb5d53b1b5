"""The benchmark's measures against second implementations, and what the predictors that know little can and cannot."""

import math

import pytest
import torch

from common.evaluation.prediction import Prediction, constant_velocity, copy_last, error_per_frame, mean_of_past


def clips(seed: int, shape=(3, 2, 4, 13, 18)) -> torch.Tensor:
    """`(3, 2, 4, 13, 18)` in [-1, 1]."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


# ------------------------------------------------------------------------------------------------ the errors


@pytest.mark.parametrize("power", [1, 2])
def test_the_error_is_the_benchmarks_one_pixel_after_the_other(power):
    preds, target = clips(0), clips(1)
    sums = [0.0] * 4
    for b in range(3):
        for t in range(4):
            for pixel, true in zip(preds[b, :, t].flatten().tolist(), target[b, :, t].flatten().tolist()):
                sums[t] += abs((pixel + 1) / 2 - (true + 1) / 2) ** power
    found = error_per_frame(preds, target, data_range=2.0, power=power)
    assert torch.allclose(found, torch.tensor(sums) / 3, rtol=1e-5)


def test_black_against_white_is_the_number_of_pixels():
    black, white = torch.full((2, 1, 3, 5, 7), -1.0), torch.ones(2, 1, 3, 5, 7)
    for power in (1, 2):
        assert torch.equal(error_per_frame(black, white, data_range=2.0, power=power), torch.full((3,), 35.0))
    half = error_per_frame(torch.zeros_like(white), white, data_range=2.0)
    assert torch.equal(half, torch.full((3,), 35 / 4))


def test_the_unit_is_the_range():
    preds, target = clips(0), clips(1)
    on_one = error_per_frame((preds + 1) / 2, (target + 1) / 2, data_range=1.0)
    assert torch.allclose(on_one, error_per_frame(preds, target, data_range=2.0), rtol=1e-5)
    as_bytes = error_per_frame((preds + 1) * 127.5, (target + 1) * 127.5, data_range=255.0)
    assert torch.allclose(on_one, as_bytes, rtol=1e-5)


def test_a_frame_counts_for_itself_alone():
    preds, target = clips(0), clips(1)
    before = error_per_frame(preds, target, data_range=2.0)
    preds[1, :, 2] += 0.3
    changed = error_per_frame(preds, target, data_range=2.0) != before
    assert changed.tolist() == [False, False, True, False]


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="4, 13, 17"):
        error_per_frame(clips(0), clips(1)[..., :17], data_range=2.0)
    with pytest.raises(ValueError, match="above 0"):
        error_per_frame(clips(0), clips(1), data_range=0)
    with pytest.raises(ValueError, match="no clips"):
        Prediction().result()


# ------------------------------------------------------------------------------------------------ all four, by peers


def test_psnr_and_ssim_are_torchmetrics_frame_by_frame():
    torchmetrics = pytest.importorskip("torchmetrics.functional.image")
    target = clips(1, (3, 1, 4, 24, 20))
    preds = target + 0.4 * torch.randn(target.shape, generator=torch.Generator().manual_seed(2))  # leaves [-1, 1]
    measures = Prediction()
    measures.add(preds[:2], target[:2])
    measures.add(preds[2:], target[2:])
    found = measures.per_frame()
    for t in range(4):
        pairs = [(preds[b, :, t][None].clamp(-1, 1), target[b, :, t][None]) for b in range(3)]
        psnr = [torchmetrics.peak_signal_noise_ratio(a, b, data_range=2.0).item() for a, b in pairs]
        ssim = [torchmetrics.structural_similarity_index_measure(a, b, data_range=2.0).item() for a, b in pairs]
        assert found["psnr"][t] == pytest.approx(sum(psnr) / 3, abs=1e-3)
        assert found["ssim"][t] == pytest.approx(sum(ssim) / 3, abs=1e-4)
    assert measures.result()["psnr"] == pytest.approx(sum(found["psnr"]) / 4)


def test_batches_of_any_size_give_the_same():
    preds, target = clips(0, (5, 1, 3, 16, 16)), clips(1, (5, 1, 3, 16, 16))
    whole, pieces = Prediction(), Prediction()
    whole.add(preds, target)
    for a, b in zip(preds.split([1, 3, 1]), target.split([1, 3, 1])):
        pieces.add(a, b)
    assert pieces.result() == pytest.approx(whole.result(), rel=1e-5)


def test_a_perfect_prediction():
    target = clips(1, (2, 1, 3, 16, 16))
    measures = Prediction()
    measures.add(target, target)
    found = measures.result()
    assert (found["mse"], found["mae"]) == (0, 0) and found["ssim"] == pytest.approx(1) and found["psnr"] == math.inf


# ------------------------------------------------------------------------------------------------ baselines


def test_what_stands_still_is_predicted_exactly_by_all():
    still = clips(3, (2, 1, 1, 20, 24)).expand(-1, -1, 5, -1, -1)
    for predict in (copy_last, mean_of_past, constant_velocity):
        assert torch.allclose(predict(still, 3), still[:, :, :3], atol=1e-6)


def test_the_mean_is_the_best_of_all_still_answers_for_the_past_itself():
    past = clips(4)
    best = error_per_frame(mean_of_past(past, 4), past, data_range=2.0).mean()
    for other in (copy_last(past, 4), mean_of_past(past, 4) + 0.01, mean_of_past(past[:, :, 1:], 4)):
        assert error_per_frame(other, past, data_range=2.0).mean() > best


@pytest.mark.parametrize("step", [(0, 0), (3, -2), (-1, 4), (-5, -8), (8, 1)])
def test_a_thing_that_goes_straight_is_predicted_exactly(step):
    """Each sample by its own velocity; what leaves the picture leaves it, and does not come back in."""
    thing = torch.rand(1, 7, 6, generator=torch.Generator().manual_seed(5))
    clip = torch.full((2, 1, 7, 40, 48), -1.0)
    for t in range(7):
        for b, (dy, dx) in enumerate((step, (1, -1))):
            y, x = 16 + dy * (t - 1), 20 + dx * (t - 1)
            for row in range(7):
                for column in range(6):
                    if 0 <= y + row < 40 and 0 <= x + column < 48:
                        clip[b, 0, t, y + row, x + column] = 2 * thing[0, row, column] - 1
    assert torch.allclose(constant_velocity(clip[:, :, :2], 5), clip[:, :, 2:], atol=1e-6)


def test_a_velocity_takes_two_frames():
    with pytest.raises(ValueError, match="got 1"):
        constant_velocity(clips(0)[:, :, :1], 3)
