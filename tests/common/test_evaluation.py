"""The measurements of `common.evaluation`, against analytic cases and against torchmetrics."""

import math

import pytest
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from common.evaluation import flicker, motion_score, psnr, ssim

CASES = [  # shape, smallest value, data_range
    ((2, 3, 16, 21), 0.0, 1.0),
    ((3, 1, 40, 23), -1.0, 2.0),
    ((2, 4, 33, 64), 0.0, 255.0),
    ((1, 2, 12, 11), 0.0, 0.1),
    ((4, 3, 7, 90), -1.0, 2.0),
]


def noisy_pair(shape, smallest, data_range, seed=0):
    """A picture with structure, and the same with noise on it."""
    generator = torch.Generator().manual_seed(seed)
    smooth = torch.nn.functional.avg_pool2d(torch.rand(shape, generator=generator), 3, stride=1, padding=1)
    target = smallest + data_range * smooth
    preds = target + 0.1 * data_range * torch.randn(shape, generator=generator)
    return preds.clamp(smallest, smallest + data_range), target


def random_clip(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(("shape", "smallest", "data_range"), CASES)
def test_psnr_equals_torchmetrics(shape, smallest, data_range):
    preds, target = noisy_pair(shape, smallest, data_range)
    theirs = peak_signal_noise_ratio(preds, target, data_range=data_range)
    torch.testing.assert_close(psnr(preds, target, data_range=data_range), theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("shape", "smallest", "data_range"), CASES)
@pytest.mark.parametrize("sigma", [1.5, 0.8])
def test_ssim_equals_torchmetrics(shape, smallest, data_range, sigma):
    preds, target = noisy_pair(shape, smallest, data_range)
    theirs = structural_similarity_index_measure(preds, target, data_range=data_range, sigma=sigma)
    torch.testing.assert_close(ssim(preds, target, data_range=data_range, sigma=sigma), theirs, atol=1e-5, rtol=0)


def test_in_double_precision_both_agree_where_float32_loses_digits():
    """Little contrast far from zero: the variance is then the small difference of two large numbers."""
    preds, target = (picture.double() for picture in noisy_pair((1, 2, 12, 11), -0.5, 0.1))
    theirs = structural_similarity_index_measure(preds, target, data_range=0.1)
    torch.testing.assert_close(ssim(preds, target, data_range=0.1), theirs, atol=1e-9, rtol=0)


def test_zeros_against_ones():
    """No shared signal and no structure: 0 dB, and of SSIM only the constant of the luminance term is left."""
    zeros, ones = torch.zeros(1, 3, 16, 16), torch.ones(1, 3, 16, 16)
    c1 = 0.01**2
    assert psnr(zeros, ones, data_range=1.0).item() == 0
    assert ssim(zeros, ones, data_range=1.0).item() == pytest.approx(c1 / (1 + c1), rel=1e-5)


def test_identical_pictures_are_perfect():
    picture = random_clip(2, 3, 5, 12, 17)
    assert psnr(picture, picture, data_range=2.0).item() == math.inf
    assert ssim(picture, picture, data_range=2.0).item() == pytest.approx(1, abs=1e-6)


def test_ssim_of_a_clip_is_the_mean_over_its_frames():
    """Time plays no part: frames in another order, the same in both clips, give the same number."""
    preds, target = random_clip(2, 3, 5, 12, 17), random_clip(2, 3, 5, 12, 17, seed=1)
    whole = ssim(preds, target, data_range=2.0)
    frames = [ssim(preds[:, :, t], target[:, :, t], data_range=2.0) for t in range(5)]
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(whole, torch.stack(frames).mean())
    torch.testing.assert_close(whole, ssim(preds[:, :, order], target[:, :, order], data_range=2.0))


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_pictures_and_their_range_scale_together(metric):
    """[0, 255] with data_range 255 is the same measurement as [0, 1] with data_range 1; bytes are no exception."""
    bytes_a = (noisy_pair((1, 3, 16, 21), 0.0, 255.0)[0]).to(torch.uint8)
    bytes_b = (noisy_pair((1, 3, 16, 21), 0.0, 255.0)[1]).to(torch.uint8)
    in_bytes = metric(bytes_a, bytes_b, data_range=255)
    in_floats = metric(bytes_a / 255, bytes_b / 255, data_range=1)
    torch.testing.assert_close(in_bytes, in_floats, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_bad_pairs_are_refused(metric):
    a = torch.zeros(1, 3, 12, 13)
    with pytest.raises(TypeError, match="data_range"):
        metric(a, a)
    with pytest.raises(ValueError, match="shape"):
        metric(a, a[..., 1:], data_range=1.0)
    with pytest.raises(ValueError, match="dtype"):
        metric(a, a.double(), data_range=1.0)
    with pytest.raises(ValueError, match=r"data_range must be above 0.*-2"):
        metric(a, a, data_range=-2)
    with pytest.raises(ValueError, match="nothing to compare"):
        metric(a[:0], a[:0], data_range=1.0)


def test_ssim_refuses_frames_that_are_too_small():
    tiny = torch.zeros(1, 3, 5, 20)
    with pytest.raises(ValueError, match="more than 5 rows"):
        ssim(tiny, tiny, data_range=1.0)


def test_motion_of_a_fade_is_its_step():
    """A clip that brightens by 0.25 a frame changes by an eighth of the range [-1, 1] each time."""
    clip = torch.linspace(-1, 0, 5).reshape(1, 5, 1, 1).expand(3, 5, 4, 6)
    assert motion_score(clip).item() == pytest.approx(0.125)
    assert motion_score(clip, data_range=1.0).item() == pytest.approx(0.25)
    assert motion_score(clip, fps=12).item() == pytest.approx(0.125 * 12)


def test_motion_of_a_still_clip_is_zero_and_of_a_strobe_is_one():
    still = random_clip(3, 1, 5, 7).expand(3, 6, 5, 7)
    strobe = torch.tensor([-1.0, 1, -1, 1, -1]).reshape(1, 5, 1, 1).expand(3, 5, 4, 6)
    assert motion_score(still).item() == 0
    assert motion_score(strobe).item() == 1


def test_motion_counts_up_and_down_alike():
    """Differences are taken by size: what brightens here does not cancel what darkens there, and time may run back."""
    clip = random_clip(3, 6, 5, 7)
    opposed = torch.stack([torch.zeros(2, 4, 4), torch.tensor([1.0, -1]).reshape(2, 1, 1).expand(2, 4, 4)], dim=1)
    assert motion_score(opposed).item() == pytest.approx(0.5)
    torch.testing.assert_close(motion_score(clip), motion_score(clip.flip(1)))


@pytest.mark.parametrize("metric", [motion_score, flicker])
def test_a_batch_gives_each_clip_its_own_score(metric):
    clips = torch.stack([random_clip(3, 6, 5, 7, seed=k) * (k + 1) / 4 for k in range(4)])
    torch.testing.assert_close(metric(clips), torch.stack([metric(clip) for clip in clips]))


def test_motion_of_bytes_does_not_wrap_around():
    """200 - 250 is -50, which no uint8 can hold."""
    clip = torch.tensor([250, 200, 250], dtype=torch.uint8).reshape(1, 3, 1, 1)
    assert motion_score(clip, data_range=255).item() == pytest.approx(50 / 255)


def test_flicker_does_not_mind_an_even_fade_and_motion_does():
    fade = torch.linspace(-1, 1, 7).reshape(1, 7, 1, 1).expand(3, 7, 4, 6)
    strobe = torch.tensor([-1.0, 1, -1, 1, -1]).reshape(1, 5, 1, 1).expand(3, 5, 4, 6)
    assert flicker(fade).item() == pytest.approx(0, abs=1e-6)
    assert motion_score(fade).item() > 0.1
    assert flicker(strobe).item() == 1


def test_one_odd_frame_flickers():
    """A single frame that is off by d moves three middles: by d/2, d and d/2."""
    clip = torch.zeros(1, 7, 2, 3)
    clip[:, 3] = 0.5
    assert flicker(clip).item() == pytest.approx((0.25 + 0.5 + 0.25) / 5 / 2)


def test_too_few_frames_are_refused():
    clip = torch.zeros(3, 2, 4, 5)
    with pytest.raises(ValueError, match="at least 2"):
        motion_score(clip[:, :1])
    with pytest.raises(ValueError, match="at least 3"):
        flicker(clip)
    with pytest.raises(ValueError, match=r"\(2, 4, 5\)"):
        motion_score(clip[0])
    with pytest.raises(ValueError, match="fps=0"):
        motion_score(clip, fps=0)
