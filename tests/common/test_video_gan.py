"""The video GAN: who sees what, which sample is judged with which, and what spectral norm promises."""

import pytest
import torch
import torch.nn.functional as F

from common.models.video_gan import PRESETS, SLOPE, Discriminators, ImageDiscriminator, VideoDiscriminator, VideoGAN

NUM_PARAMETERS = {"ci": 159_225, "cpu": 300_869, "gpu": 750_697}


def noise(*size, seed: int = 0) -> torch.Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture(scope="module")
def gan() -> VideoGAN:
    torch.manual_seed(0)
    return VideoGAN(num_frames=5, size=12, channels=16, judge_channels=8).eval().requires_grad_(False)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_number_of_parameters(preset):
    count = sum(p.numel() for p in VideoGAN(**PRESETS[preset]).parameters())
    assert count == NUM_PARAMETERS[preset]
    assert 2 * count < 8e6  # bytes in half precision


# ------------------------------------------------------------------------------------------------ the generator


def test_a_latent_makes_its_own_clip_whole(gan):
    latents = torch.randn(3, 32, generator=torch.Generator().manual_seed(0))
    clips = gan(latents).sample
    assert clips.shape == (3, 3, 5, 12, 12) and clips.abs().max() <= 1
    latents[1] += 1
    moved = (gan(latents).sample - clips).abs().amax(dim=(1, 3, 4))  # (B, T)
    assert (moved[1] > 1e-6).all() and (moved[[0, 2]] == 0).all()


def test_the_first_clips_are_nearly_grey(gan):
    assert gan.sample(4, torch.Generator().manual_seed(1)).abs().mean() < 0.1


def test_samples_are_a_function_of_the_generators_seed(gan):
    first, again, other = (gan.sample(2, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


# ------------------------------------------------------------------------------------------------ the discriminators


def test_the_image_discriminator_sees_the_chosen_frames_and_the_video_discriminator_all(gan):
    clips, frames = noise(2, 3, 5, 12, 12), torch.tensor([[3, 1], [0, 4]])
    before = gan.discriminators(clips, frames)  # (2, 2): image, video
    for t in range(5):
        changed = clips.clone()
        changed[:, :, t] *= -1
        image, video = (gan.discriminators(changed, frames) - before).abs().unbind(dim=1)
        assert ((image > 1e-6) == (frames == t).any(dim=1)).all()
        assert (video > 1e-6).all()


def test_the_image_score_is_the_mean_of_the_frames_scores(gan):
    clips, frames = noise(3, 3, 5, 12, 12), torch.tensor([[3, 1], [0, 4], [2, 2]])
    branch = gan.discriminators.branches["image"]
    wanted = torch.stack([sum(branch(clips[i, :, t][None]) for t in frames[i]) / 2 for i in range(3)])[:, 0]
    assert torch.allclose(gan.discriminators(clips, frames)[:, 0], wanted, atol=1e-5)


def test_the_video_discriminator_knows_the_order_of_the_frames(gan):
    clips = noise(2, 3, 5, 12, 12)
    video = gan.discriminators.branches["video"]
    assert ((video(clips.flip(2)) - video(clips)).abs() > 1e-6).all()


def test_the_video_discriminator_sees_half_the_size():
    """What averages to nothing over 2x2 pixels it cannot see; the image discriminator can."""
    torch.manual_seed(0)
    video, image = VideoDiscriminator(3, 8), ImageDiscriminator(3, 8)
    clip = noise(2, 3, 5, 12, 12) * 0.5
    checks = 0.4 * (1 - 2 * ((torch.arange(12)[:, None] + torch.arange(12)) % 2))
    video(clip), image(clip[:, :, 0])  # let spectral norm settle
    video.eval(), image.eval()
    assert torch.allclose(video(clip + checks), video(clip), atol=1e-6)
    assert ((image(clip[:, :, 0] + checks) - image(clip[:, :, 0])).abs() > 1e-4).all()


def test_the_video_discriminator_is_what_its_docstring_says():
    judge = VideoDiscriminator(4, 6, normalized=False)
    clips = noise(2, 4, 7, 10, 14)
    x = (clips[..., ::2, :] + clips[..., 1::2, :]) / 2
    x = (x[..., ::2] + x[..., 1::2]) / 2
    for layer in (judge.first, judge.second, judge.third):
        x = F.conv3d(x, layer.weight, layer.bias, stride=layer.stride, padding=layer.padding)
        x = torch.where(x > 0, x, SLOPE * x)
    wanted = x.flatten(2).sum(dim=2) @ judge.score.weight[0] + judge.score.bias
    assert torch.allclose(judge(clips), wanted, rtol=1e-5, atol=1e-5)


def test_each_sample_is_judged_alone_and_a_pack_together():
    torch.manual_seed(0)
    clips, frames = noise(6, 3, 5, 12, 12), torch.tensor([0, 1, 2, 3, 4, 0])[:, None]
    for pack in (1, 2, 3):
        judge = Discriminators(["image", "video"], 8, pack).eval()
        scores = judge(clips, frames)
        assert scores.shape == (6 // pack, 2)
        changed = clips.clone()
        changed[3] *= -1
        moved = (judge(changed, frames) - scores).abs() > 1e-7
        assert (moved.any(dim=1) == (torch.arange(6 // pack) == 3 // pack)).all() and moved[3 // pack].all()


def test_a_branch_can_be_left_out():
    clips, frames = noise(2, 3, 5, 12, 12), torch.tensor([[0], [1]])
    assert Discriminators(["image"], 8)(clips, frames).shape == (2, 1)
    for wrong in ([], ["sound"]):
        with pytest.raises(ValueError, match="image, video"):
            Discriminators(wrong, 8)
    with pytest.raises(ValueError, match="got 0"):
        Discriminators(["image"], 8, pack=0)


@pytest.mark.parametrize("kind", [ImageDiscriminator, VideoDiscriminator])
def test_spectral_norm_makes_the_largest_singular_value_one(kind):
    """Of every layer's matrix (outputs x everything else), by numpy's way to compute it; and not without."""
    torch.manual_seed(0)
    x = noise(2, 3, 12, 12) if kind is ImageDiscriminator else noise(2, 3, 5, 12, 12)
    for normalized in (True, False):
        judge = kind(3, 8, normalized)
        for _ in range(60):  # each pass is one round of the power iteration
            judge(x)
        for layer in (judge.first, judge.second, judge.third, judge.score):
            largest = torch.linalg.svdvals(layer.weight.detach().flatten(1))[0]
            assert (abs(largest - 1) < 0.02) == normalized


def test_with_spectral_norm_the_score_cannot_be_steep():
    """Each layer stretches lengths by at most its kernel's overlap; far below what the same layers do without."""
    torch.manual_seed(0)
    x = noise(4, 3, 5, 12, 12).requires_grad_(True)
    steep = []
    for normalized in (True, False):
        judge = VideoDiscriminator(3, 8, normalized)
        with torch.no_grad():
            for parameter in judge.parameters():
                parameter.mul_(20)
        for _ in range(20):
            judge(x)
        (slope,) = torch.autograd.grad(judge(x).sum(), x)
        steep.append(slope.flatten(1).norm(dim=1).mean())
    assert steep[0] < steep[1] / 1000


# ------------------------------------------------------------------------------------------------ saving


@pytest.mark.parametrize("normalized", [True, False])
def test_saved_and_loaded_it_is_the_same(tmp_path, normalized):
    torch.manual_seed(0)
    model = VideoGAN(num_frames=4, size=8, channels=8, judge_channels=4, branches=["video"], normalized=normalized)
    clips, frames = noise(2, 3, 4, 8, 8), torch.tensor([[0, 1], [3, 2]])
    model.discriminators(clips, frames)
    model.eval()
    model.save_pretrained(tmp_path)
    back = VideoGAN.from_pretrained(tmp_path).eval()
    latents = torch.randn(2, 32)
    assert torch.equal(back(latents).sample, model(latents).sample)
    assert torch.allclose(back.discriminators(clips, frames), model.discriminators(clips, frames), atol=1e-6)
    assert list(back.discriminators.branches) == ["video"]


@pytest.mark.parametrize("wrong", [{"size": 14}, {"channels": 12}])
def test_sizes_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        VideoGAN(**wrong)
