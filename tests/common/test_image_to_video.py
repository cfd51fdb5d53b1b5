"""Picture to clip: our loop gives frame by frame what diffusers' `StableVideoDiffusionPipeline` gives."""

import pytest
import torch
from einops import rearrange

from common.diffusion.image_to_video import (
    added_time_ids,
    condition_latents,
    frame_guidance,
    i2v_loss,
    svd_denoise,
    svd_sample,
)
from common.diffusion.samplers import last
from common.diffusion.schedules import karras_sigmas
from common.models.frame_vae import FrameVAE
from common.models.inflated_model import InflatedUNet
from common.pipelines.image_to_video import ImageToVideoPipeline, prompted_svd
from common.zoo.sprites_image.recipe import RECIPE

PROMPTS = ["a large red circle moves left over a blue field", "a small green star moves up over yellow stripes"]
LOOP = {"num_inference_steps": 3, "fps": 6, "motion_bucket_id": 90, "noise_aug_strength": 0.1}


def unet() -> InflatedUNet:
    """A small model none of whose new layers is zero."""
    torch.manual_seed(0)
    model = InflatedUNet.of(RECIPE.build_model("ci"), in_channels=32, num_frames=5).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.05 * torch.randn(parameter.shape)
    return model


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("scales", [(1.5, 3.0), (2.0, 2.0), (1.0, 1.0)])
def test_our_loop_is_that_of_diffusers_on_the_same_weights_and_noise(scales):
    pytest.importorskip("transformers")
    model, vae = unet(), FrameVAE.from_pretrained("sprites-vae")
    pictures, start = noise(2, 3, 32, 32).clamp(-1, 1), noise(2, 16, 5, 4, 4, seed=1)
    guided = dict(zip(("min_guidance_scale", "max_guidance_scale"), scales))
    ours = ImageToVideoPipeline(model, vae)(
        pictures, PROMPTS, 32, 32, latents=start, generator=torch.Generator().manual_seed(5), **LOOP, **guided
    ).frames
    theirs = prompted_svd(model, PROMPTS, vae)(
        pictures / 2 + 0.5, 32, 32, latents=rearrange(start, "b c t h w -> b t c h w"), output_type="pt",
        generator=torch.Generator().manual_seed(5), **LOOP, **guided,
    ).frames  # fmt: skip
    assert ours.shape == (2, 3, 5, 32, 32)
    assert (2 * rearrange(theirs, "b t c h w -> b c t h w") - 1 - ours).abs().max() < 1e-4


def test_ids_are_one_frame_per_second_less_motion_and_noise():
    ids = added_time_ids(torch.tensor([7, 4]), torch.tensor([127, 9]), torch.tensor([0.02, 0.5]))
    assert torch.equal(ids, torch.tensor([[6.0, 127.0, 0.02], [3.0, 9.0, 0.5]]))


def test_the_pictures_latents_are_unscaled_and_behind_zeros():
    vae, pictures, eps = FrameVAE.from_pretrained("sprites-vae"), noise(2, 3, 32, 32).clamp(-1, 1), noise(2, 3, 32, 32)
    found = condition_latents(vae, pictures, 0.1, eps, guided=True)
    due = vae.encode(pictures + 0.1 * eps).latent_dist.mode()
    assert torch.equal(found[:2], torch.zeros_like(due)) and torch.allclose(found[2:], due, atol=1e-5)
    with pytest.raises(ValueError, match="noise_aug_strength is 0 or more"):
        condition_latents(vae, pictures, -0.1, eps)


def test_what_does_not_fit_is_refused():
    one, two = torch.ones(1), torch.ones(2)
    with pytest.raises(ValueError, match="all three are"):
        added_time_ids(two, two, one)
    with pytest.raises(ValueError, match="num_frames is at least 1"):
        frame_guidance(1.0, 3.0, 0)
    with pytest.raises(ValueError, match="sigma is"):
        svd_denoise(Linear(), noise(2, 3, 4, 2, 5), one, noise(2, 3, 2, 5), noise(2, 6, 8), noise(2, 3))
    with pytest.raises(ValueError, match="the picture is"):
        svd_denoise(Linear(), noise(2, 3, 4, 2, 5), two, noise(2, 3, 2, 4), noise(2, 6, 8), noise(2, 3))
    with pytest.raises(ValueError, match="guidance_scale is"):
        next(svd_sample(lambda x, sigma: x, noise(2, 3, 4, 2, 5), torch.tensor([1.0, 0.0]), two))


def test_guidance_rises_from_the_first_frame_to_the_last():
    assert torch.allclose(frame_guidance(1.0, 3.0, 5), torch.tensor([1.0, 1.5, 2.0, 2.5, 3.0]))


class Linear:
    """A model whose v is a sum of all that it was told, so that every part can be seen in it."""

    def __call__(self, sample, timestep, states, ids):
        self.sample = sample
        clip, picture = sample.chunk(2, dim=2)
        rest = timestep + states.mean(dim=(1, 2)) + ids.sum(dim=1)
        return type("Out", (), {"sample": 0.3 * clip + 0.5 * picture + rest[:, None, None, None, None]})


def test_the_denoiser_has_the_picture_beside_every_frame():
    x, picture, states = noise(2, 3, 4, 2, 5), noise(2, 3, 2, 5, seed=1), noise(2, 6, 8, seed=2)
    sigma, ids = torch.tensor([0.5, 4.0]), torch.tensor([[3.0, 9.0, 0.1], [7.0, 1.0, 0.3]])
    model = Linear()
    found = svd_denoise(model, x, sigma, picture, states, ids)
    size = (sigma**2 + 1).sqrt()[:, None, None, None, None]
    assert torch.allclose(model.sample[:, :, :3].movedim(1, 2), x / size, atol=1e-6)
    assert all(torch.equal(model.sample[:, k, 3:], picture) for k in range(4))
    rest = sigma.log() / 4 + states.mean(dim=(1, 2)) + ids.sum(dim=1)
    v = 0.3 * x / size + 0.5 * picture[:, :, None] + rest[:, None, None, None, None]
    due = x / size**2 - sigma[:, None, None, None, None] / size * v
    assert torch.allclose(found, due, atol=1e-5)


def test_what_is_dropped_is_not_seen_by_the_loss():
    x0, eps, picture = noise(4, 3, 4, 2, 5), noise(4, 3, 4, 2, 5, seed=1), noise(4, 3, 2, 5, seed=2)
    states, nothing, ids = noise(4, 6, 8, seed=3), noise(1, 6, 8, seed=4), noise(4, 3, seed=5)
    sigma = torch.tensor([0.5, 4.0, 1.0, 2.0])
    no_picture, no_text = torch.tensor([0, 1, 0, 1]), torch.tensor([0, 0, 1, 1])
    found = i2v_loss(Linear(), x0, eps, sigma, picture, states, ids, nothing, no_picture.bool(), no_text.bool())
    for k in range(4):
        shown = picture[k : k + 1] * (1 - no_picture[k])
        told = nothing if no_text[k] else states[k : k + 1]
        noisy = x0[k : k + 1] + sigma[k] * eps[k : k + 1]
        estimate = svd_denoise(Linear(), noisy, sigma[k : k + 1], shown, told, ids[k : k + 1])
        due = (estimate - x0[k : k + 1]).square().mean() * (1 + 1 / sigma[k] ** 2)
        assert torch.isclose(found[k], due, rtol=1e-5)


def test_the_sampler_finds_the_clip_that_a_perfect_denoiser_knows():
    x0, sigmas = noise(2, 3, 4, 2, 5), karras_sigmas(4, 0.02, 80.0)
    start = sigmas[0] * noise(2, 3, 4, 2, 5, seed=1)
    assert torch.allclose(last(svd_sample(lambda x, sigma: x0, start, sigmas)), x0, atol=1e-4)
    scale = torch.tensor([1.0, 2.0, 3.0, 0.0])
    both = torch.cat([torch.zeros_like(x0), x0])  # without picture and prompt it knows nothing
    guided = last(svd_sample(lambda x, sigma: both, start, sigmas, scale))
    assert torch.allclose(guided, scale[:, None, None] * x0, atol=1e-4)


def test_one_prompt_is_for_all_pictures_and_sizes_are_checked():
    model, vae = unet(), FrameVAE.from_pretrained("sprites-vae")
    pipe, pictures = ImageToVideoPipeline(model, vae), noise(2, 3, 32, 32).clamp(-1, 1)
    one = pipe(pictures, PROMPTS[0], 32, 32, generator=0, num_inference_steps=1).frames
    each = pipe(list(pictures), PROMPTS[:1] * 2, 32, 32, generator=0, num_inference_steps=1).frames
    assert one.shape == (2, 3, 5, 32, 32) and torch.equal(one, each)
    with pytest.raises(ValueError, match=r"latents are \(2, 16, 3, 4, 4\) here"):
        pipe(pictures, PROMPTS, 32, 32, 3, latents=noise(2, 16, 5, 4, 4))
    with pytest.raises(ValueError, match="num_frames is a whole number"):
        pipe(pictures, PROMPTS, 32, 32, 2.5)
    with pytest.raises(ValueError, match="clip and picture"):
        ImageToVideoPipeline(InflatedUNet.of(RECIPE.build_model("ci"), in_channels=16, num_frames=5), vae)
