"""Super-resolution: parts, model, pipeline, cascade and edges; on small models of random weights. Ten seconds."""

import pytest
import torch
from click.testing import CliRunner
from torch.nn import functional as F

from common.cli import generate as command
from common.data.sprites import render
from common.diffusion.super_resolution import REST, Preconditioned, augment_condition, super_resolve, upsample_condition
from common.evaluation.edges import edge_profiles, edge_scenes, edge_width
from common.models.autoencoder import PRESETS as VAE_PRESETS
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import PRESETS as DIT_PRESETS
from common.models.dit import VideoDiT
from common.models.super_resolution import PRESETS, SuperResolutionDiT
from common.pipelines import TextToVideoPipeline
from common.pipelines.latent_upscale import LatentUpscalePipeline, cascade, code_enlarged

STAR = "a small red star moves left over a blue field"


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def model() -> SuperResolutionDiT:
    """A small one whose gates are open."""
    torch.manual_seed(0)
    made = SuperResolutionDiT(**PRESETS["ci"], condition_mean=[0.1] * 16, condition_std=[0.7] * 16,
                              sample_mean=[-0.2] * 16, sample_std=[1.3] * 16)  # fmt: skip
    for p in made.parameters():
        if p.abs().max() == 0:
            torch.nn.init.normal_(p, std=0.05)
    return made.eval()


@pytest.fixture(scope="module")
def vae() -> CausalVideoVAE:
    torch.manual_seed(1)
    return CausalVideoVAE(**VAE_PRESETS["ci"], latents_mean=[0.1] * 16, latents_std=[1.5] * 16).eval()


@pytest.fixture(scope="module")
def upscaler(model, vae) -> LatentUpscalePipeline:
    return LatentUpscalePipeline(model, vae)


class Says:
    """A model that says one number."""

    def __init__(self, value: float):
        self.value = value

    def __call__(self, x, timestep, condition, condition_timestep):
        return type("Out", (), {"sample": torch.full_like(x, self.value)})


def inputs(batch=2, frames=3, height=4, width=6):
    x, condition = torch.randn(2, batch, 16, frames, height, width, generator=seeded(3))
    return x, torch.full((batch,), 400.0), condition, torch.full((batch,), 250.0)


# ------------------------------------------------------------------------------------------------ parts


def test_a_constant_stays_constant_and_statistics_become_those_asked_for():
    flat = torch.full((1, 2, 3, 4, 5), 3.0)
    large = upsample_condition(flat, [1.0, 3.0], [2.0, 4.0])
    assert large.shape == (1, 2, 3, 8, 10)
    assert torch.allclose(large[:, 0], torch.tensor(1.0)) and torch.allclose(large[:, 1], torch.tensor(0.0))


def test_enlarging_is_pytorchs_frame_by_frame():
    latents = torch.randn(2, 3, 4, 5, 6, generator=seeded())
    large = upsample_condition(latents, [0.0] * 3, [1.0] * 3, 3)
    for t in range(4):
        frame = F.interpolate(latents[:, :, t], scale_factor=3, mode="bilinear")
        assert torch.allclose(large[:, :, t], frame, atol=1e-6)


def test_augmentation_goes_from_the_condition_to_noise_and_tells_how_far():
    condition, noise = torch.randn(2, 3, 4, 2, 5, 6, generator=seeded())
    for level, want in ((0.0, condition), (1.0, noise), (0.5, (condition + noise) / 2)):
        noisy, told = augment_condition(condition, level, noise)
        assert torch.allclose(noisy, want, atol=1e-6) and told.tolist() == [1000 * level] * 3
    noisy, told = augment_condition(condition, torch.tensor([0.0, 1.0, 0.5]), noise)
    assert torch.equal(noisy[0], condition[0]) and torch.equal(noisy[1], noise[1]) and told[2] == 500


@pytest.mark.parametrize("level", [-0.1, 1.1, float("nan"), torch.tensor([0.1, 0.2])])
def test_a_level_that_is_none_is_refused(level):
    with pytest.raises(ValueError):
        augment_condition(torch.zeros(3, 2, 1, 4, 4), level, torch.zeros(3, 2, 1, 4, 4))


def test_a_model_that_knows_the_answer_gets_there_in_one_step():
    """The velocity of a point mass at x0 is (x - x0) / s: Euler's step from level 1 ends at x0."""
    answer, noise, other = torch.randn(3, 2, 3, 2, 4, 4, generator=seeded())

    class Knows:
        def __call__(self, x, timestep, condition, condition_timestep):
            assert torch.equal(condition_timestep, torch.full((2,), 300.0))
            return type("Out", (), {"sample": (x - answer) / (timestep / 1000)[:, None, None, None, None]})

    for steps in (1, 5):
        got = super_resolve(Knows(), torch.zeros_like(answer), noise, other, 0.3, steps)
        assert torch.allclose(got, answer, atol=1e-5)


def test_the_best_linear_guess_is_that_of_least_squares():
    """On numbers drawn as it assumes. No weights of sample and condition do better, and its error is as it says."""
    draw, count = seeded(), 200_000
    clean, rest, eps, other = torch.randn(4, count, generator=draw)
    for s, a in ((0.3, 0.0), (0.8, 0.2), (1.0, 0.4), (0.05, 0.1)):
        answer = clean + REST * rest
        x, condition = (1 - s) * answer + s * eps, (1 - a) * clean + a * other
        shaped = [values.reshape(1, 1, 1, 1, count) for values in (x, condition)]
        said = Preconditioned(Says(0.0))(shaped[0], torch.tensor([1000 * s]), shaped[1], torch.tensor([1000 * a]))
        target = eps - answer
        best = torch.linalg.lstsq(torch.stack([x, condition], dim=1), target[:, None]).solution
        fitted = (torch.stack([x, condition], dim=1) @ best)[:, 0]
        assert (said.sample.flatten() - fitted).square().mean() < 1e-3 * target.square().mean()
        error = (said.sample.flatten() - target).square().mean().item()
        assert error == pytest.approx(said.error.item(), rel=0.02)


def test_a_correction_of_one_moves_the_guess_by_the_size_of_its_error():
    x, timestep, condition, told = inputs()
    plain, moved = (Preconditioned(Says(value))(x, timestep, condition, told) for value in (0.0, 1.0))
    size = plain.error.sqrt()[:, None, None, None, None].expand_as(x)
    assert torch.allclose(moved.sample - plain.sample, size, atol=1e-5)


# ------------------------------------------------------------------------------------------------ model


def test_parameter_counts():
    count = {
        name: sum(p.numel() for p in SuperResolutionDiT(**preset).parameters()) for name, preset in PRESETS.items()
    }
    assert count == {"ci": 74_880, "cpu": 1_200_576, "gpu": 3_391_296}


def test_a_fresh_model_says_zero():
    x, *rest = inputs()
    assert not SuperResolutionDiT(**PRESETS["ci"])(x, *rest).sample.any()


def test_the_condition_and_both_levels_count(model):
    x, timestep, condition, told = inputs()
    with torch.no_grad():
        base = model(x, timestep, condition, told).sample
        assert base.shape == x.shape
        for changed in ((x, timestep + 200, condition, told), (x, timestep, condition + 1, told),
                        (x, timestep, condition, told + 200)):  # fmt: skip
            assert (model(*changed).sample - base).abs().max() > 1e-3
        assert torch.equal(model(x, timestep, condition, told, return_dict=False)[0], base)
        alone = model(x[:1], timestep[:1], condition[:1], told[:1]).sample
    assert torch.allclose(alone, base[:1], atol=1e-5)


def test_what_does_not_fit_is_refused(model):
    x, timestep, condition, told = inputs()
    for wrong in ((x[:, :8], timestep, condition[:, :8], told), (x, timestep, condition[:1], told),
                  (x, timestep[:1], condition, told), (x, timestep, condition, told[:, None])):  # fmt: skip
        with pytest.raises(ValueError):
            model(*wrong)


def test_statistics_travel_with_the_weights(model, tmp_path):
    model.save_pretrained(tmp_path)
    again = SuperResolutionDiT.from_pretrained(tmp_path)
    assert [round(v[0].item(), 4) for v in again.statistics("sample")] == [-0.2, 1.3]
    assert torch.allclose(again.denormalize(torch.ones(1, 16, 1, 2, 2)), torch.tensor(1.1))
    mean, std = SuperResolutionDiT(**PRESETS["ci"]).statistics("condition")
    assert not mean.any() and (std == 1).all()


# ------------------------------------------------------------------------------------------------ pipelines


def test_the_pipeline_is_its_parts_one_after_the_other(upscaler, model, vae):
    small = torch.randn(2, 16, 2, 4, 4, generator=seeded(5))
    options = {"noise_level": 0.3, "num_inference_steps": 3, "shift": 2.0}
    got = upscaler(small, **options, generator=seeded(7), output_type="latent").frames
    with torch.no_grad():
        condition = upsample_condition(code_enlarged(vae, small), *model.statistics("condition"), 1)
    draw = seeded(7)
    noise, other = (torch.randn(condition.shape, generator=draw) for _ in range(2))
    want = model.denormalize(super_resolve(Preconditioned(model), condition, noise, other, 0.3, 3, 2.0))
    assert torch.allclose(got, want, atol=1e-5)
    clips = upscaler(small, **options, generator=seeded(7)).frames
    assert clips.shape == (2, 3, 5, 64, 64) and clips.abs().max() <= 1
    alone = upscaler(small[1:], **options, generator=[11]).frames
    assert torch.allclose(upscaler(small, **options, generator=[3, 11]).frames[1:], alone, atol=1e-4)


def test_two_pipelines_make_a_cascade(upscaler, vae):
    torch.manual_seed(2)
    first = TextToVideoPipeline(VideoDiT(**DIT_PRESETS["ci"]).eval(), vae)
    first.set_progress_bar_config(disable=True)
    small = {"num_frames": 5, "height": 32, "width": 48, "num_inference_steps": 2}
    clips = cascade(first, upscaler, STAR, generator=4, num_upscale_steps=2, **small).frames
    assert clips.shape == (1, 3, 5, 64, 96)
    draw = seeded(4)
    latents = first(STAR, **small, generator=draw, output_type="latent").frames
    assert torch.equal(clips, upscaler(latents, generator=draw, num_inference_steps=2).frames)


def test_channels_that_differ_are_refused(vae):
    with pytest.raises(ValueError, match="8 channels"):
        LatentUpscalePipeline(SuperResolutionDiT(**PRESETS["ci"], in_channels=8), vae)


def test_generate_upscale_writes_a_clip_twice_as_large(upscaler, vae, tmp_path, monkeypatch):
    monkeypatch.setenv("FLIPBOOK_CACHE", str(tmp_path / "cache"))
    first = TextToVideoPipeline(VideoDiT(**DIT_PRESETS["ci"]).eval(), vae)
    monkeypatch.setattr(command, "load", lambda *_: first)
    monkeypatch.setattr(command, "load_upscaler", lambda: upscaler)
    words = [STAR, "--steps", "1", "--num-frames", "5", "--size", "32", "--raw", "-o", str(tmp_path / "clip.gif")]
    for extra, size in (([], "32x32"), (["--upscale"], "64x64")):
        ran = CliRunner().invoke(command.generate, [*words, *extra])
        assert ran.exit_code == 0 and size in ran.output, ran.output


# ------------------------------------------------------------------------------------------------ edges


def test_known_edges_have_their_width():
    step = (torch.arange(10) >= 4).float()
    ramp = (torch.arange(10).float() - 2).clamp(0, 5) / 5
    found = edge_width(torch.stack([step, ramp, 1 - ramp, 3 * ramp - 7]))
    assert torch.allclose(found, torch.tensor([0.8, 4.0, 4.0, 4.0]), atol=1e-5)


def test_ringing_on_either_side_does_not_count():
    plain = torch.tensor([[0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0]])
    ringing = torch.tensor([[0.0, 0.2, -0.1, 0.5, 1.2, 0.8, 1.0]])
    assert edge_width(plain).item() == pytest.approx(1.6)
    assert 1.0 < edge_width(ringing).item() < 1.6


def test_drawn_edges_are_sharp_and_enlarged_ones_twice_as_wide():
    scenes = edge_scenes(2)
    assert all(scene.background == "field" and scene.objects[0].size == "large" for scene in scenes)
    width = {}
    for size in (64, 128):
        clips = render(scenes, 17, size).clips()
        large = F.interpolate(clips, scale_factor=(1, 128 // size, 128 // size), mode="trilinear")
        profiles = edge_profiles(large, scenes)
        assert profiles.shape == (2 * 2 * 17, 12)
        assert profiles[:, 0].abs().max() < 0.05 and (profiles[:, -1] - 1).abs().max() < 0.05
        width[size] = edge_width(profiles).median().item()
    assert 0.8 <= width[128] <= 1.6 < width[64]
