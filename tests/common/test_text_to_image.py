"""The course's image model in diffusers' `StableDiffusionPipeline`, beside the course's own sampler."""

import pytest
import torch
from diffusers import UNet2DConditionModel

from common.data.sprites import caption
from common.data.sprites.one_object import OneObject
from common.diffusion.preconditioning import edm_precondition
from common.diffusion.schedules import karras_sigmas
from common.pipelines.text_to_image import NUM_TOKENS, SIGMA_MAX, SIGMA_MIN, edm_scheduler, prompt_embeds, text_to_image
from common.text import TextEncoder
from common.zoo.sprites_image.recipe import RECIPE, generate

PROMPTS = ["a large red circle moves left over a blue field", "a small green star moves up over yellow stripes"]


def unet() -> UNet2DConditionModel:
    torch.manual_seed(0)
    return RECIPE.build_model("ci").eval()


def test_the_pipeline_draws_what_the_course_s_own_sampler_draws():
    pytest.importorskip("transformers")
    model, size = unet(), 32
    ours = generate(model, PROMPTS, num_steps=3, guidance_scale=2.0, seed=5)
    noise = torch.randn(2, 16, 4, 4, generator=torch.Generator().manual_seed(5))
    states = prompt_embeds(TextEncoder.installed(), [*PROMPTS, ""])
    theirs = text_to_image(model)(
        prompt_embeds=states[:2], negative_prompt_embeds=states[2:].expand(2, -1, -1), latents=noise, height=size,
        width=size, num_inference_steps=3, guidance_scale=2.0, output_type="pt",
    ).images  # fmt: skip
    assert (theirs * 2 - 1 - ours).abs().max() < 1e-3


def test_the_scheduler_has_our_levels_and_is_told_a_quarter_of_their_logarithm():
    scheduler = edm_scheduler()
    scheduler.set_timesteps(7)
    levels = karras_sigmas(7, SIGMA_MIN, SIGMA_MAX)
    assert torch.allclose(scheduler.sigmas, levels, rtol=1e-4)
    assert torch.allclose(scheduler.timesteps, edm_precondition(levels[:-1], 1.0).c_noise, atol=1e-4)


def test_prompts_are_filled_up_with_zeros():
    states = prompt_embeds(TextEncoder.installed(), [PROMPTS[0], ""])
    assert states.shape == (2, NUM_TOKENS, 384)
    assert states[1, :2].abs().sum() > 0 and not states[1, 2:].any()


def test_every_caption_of_one_object_fits():
    encoder, scenes = TextEncoder.installed(), OneObject().scenes(range(1, 3000, 2))
    longest = max(len(encoder.tokenizer(caption(scene, scene.index))) for scene in scenes)
    assert 24 < longest <= NUM_TOKENS


def test_a_prompt_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="tokens; this model reads up to 4"):
        prompt_embeds(TextEncoder.installed(), [PROMPTS[0]], num_tokens=4)
