"""How `sprites-image` is trained: text to image on single frames, by EDM, in diffusers' `UNet2DConditionModel`.

    flipbook train sprites-image                     stage "main": a constant learning rate
    flipbook train sprites-image --stage anneal      from there: the rate falls to zero
    flipbook train sprites-image --stage further     from there: up once more, and down to zero; shapes come last

The prediction is that of Stable Video Diffusion: v of a noisy frame x0 + sigma · eps with sigma_data = 1, told
ln(sigma) / 4. So the weights run in Stable Diffusion's pipeline as they are, and a video model can be made of them.
"""

from collections.abc import Sequence
from functools import partial

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from einops import rearrange

from common.data.sprites import SpriteData, caption
from common.data.sprites.one_object import OneObject
from common.diffusion.losses import edm_loss
from common.diffusion.preconditioning import edm_precondition
from common.diffusion.samplers import euler, last
from common.diffusion.schedules import karras_sigmas
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.models.frame_vae import FrameVAE
from common.pipelines.text_to_image import SETTINGS, SIGMA_MAX, SIGMA_MIN, prompt_embeds
from common.show import strips
from common.text import TextEncoder
from common.training import Recipe, Settings, Stage, muon
from common.zoo.captioned import VAE
from common.zoo.sprites_image.frames import captioned_frames

SIZES = {"ci": (2, 32), "cpu": (9, 64), "gpu": (9, 64)}  # frames, pixels
NUM_CLIPS = {"ci": 16, "cpu": 8_000, "gpu": 40_000}
NUM_ASKED = {"ci": 2, "cpu": 64, "gpu": 128}  # prompts of each kind when it measures
KINDS = ("large", "any", "held_out")  # of prompts: see `asked`
JUDGED = ("shape", "color", "size", "background", "background_color", "num_objects")  # what a still picture shows
NO_PROMPT_PART = 0.1  # of the samples: without a prompt, for guidance
SIGMA_STD = 1.3  # of ln(sigma) in training; its mean is 0
UNET = {
    "sample_size": 8,
    "in_channels": 16,
    "out_channels": 16,
    "layers_per_block": 1,
    "cross_attention_dim": 384,
    "attention_head_dim": 4,  # the number of heads: the name is diffusers' own mistake
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),  # no attention on the finer grid: it is twice as fast
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "norm_eps": 1e-6,
    "use_linear_projection": True,
}
CHANNELS = {"ci": (32, 32), "cpu": (64, 96), "gpu": (64, 96)}  # multiples of 32, the number of groups of its norms


def denoise(model, x: torch.Tensor, sigma: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """The model's estimate of the frames `(B, C, H', W')` without noise, by v with sigma_data = 1.

    Args:
        model: a `UNet2DConditionModel`.
        x: noisy latents, x0 + sigma · eps.
        sigma: their levels `(B,)`.
        states: of the prompts, `(B, L, 384)`.
    """
    c_skip, c_out, c_in, c_noise = (factor[:, None, None, None] for factor in edm_precondition(sigma, 1.0))
    v = model(c_in * x, c_noise.flatten(), states).sample
    return c_skip * x - c_out * v  # v = signal · eps - noise · x0: EDM's network predicts the negative of it


def compute_loss(model, batch, noise):
    """EDM's loss of one frame of each clip, drawn at random.

    Args:
        model: a `UNet2DConditionModel`.
        batch: as `captioned_frames` gives it.
        noise: of the frames, the levels and the latents, and which samples have no prompt.
    """
    clips, num_clips = batch["latents"], len(batch["latents"])
    each = torch.arange(num_clips, device=clips.device)
    x0 = clips[each, :, noise.integers("frame", clips.shape[2])]  # (B, C, H', W')
    chosen = each.masked_fill(noise.uniform("prompt") < NO_PROMPT_PART, num_clips)  # the last text is empty
    sigma = (SIGMA_STD * noise.normal("sigma")).exp()
    estimate = partial(denoise, model, states=batch["states"][chosen])
    loss = edm_loss(estimate, x0, noise.normal("eps", x0.shape[1:]), sigma, sigma_data=1.0)  # (B,)
    return {"loss": loss.mean()}


@torch.no_grad()
def generate(
    model,
    prompts: Sequence[str],
    *,
    num_steps: int = SETTINGS["num_inference_steps"],
    guidance_scale: float = SETTINGS["guidance_scale"],
    seed: int = 0,
) -> torch.Tensor:
    """A picture for each prompt, `(B, 3, 8 H', 8 W')` in [-1, 1], by Euler's steps along Karras' levels.

    Args:
        model: a `UNet2DConditionModel`.
        prompts: B of them.
        num_steps: of the sampler.
        guidance_scale: of classifier-free guidance.
        seed: of all the noise.
    """
    states = prompt_embeds(TextEncoder.installed(), [*prompts, ""]).to(model.device, model.dtype)
    states = torch.cat([states[:-1], states[-1:].expand(len(prompts), -1, -1)])  # (2 B, L, 384)
    levels = karras_sigmas(num_steps, SIGMA_MIN, SIGMA_MAX)
    shape = (len(prompts), model.config.in_channels, model.config.sample_size, model.config.sample_size)
    x = levels[0] * torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(model.device)

    def derivative(x, sigma):
        estimates = denoise(model, torch.cat([x, x]), torch.cat([sigma, sigma]), states)
        with_prompt, without = estimates.chunk(2)
        return (x - without - guidance_scale * (with_prompt - without)) / sigma[0]

    latents = last(euler(derivative, x, levels))
    return FrameVAE.from_pretrained(VAE).to(model.device).decode(latents).sample.clamp(-1, 1)


def asked(kind: str, num_prompts: int) -> list:
    """Test scenes to draw pictures of: "large" objects before a still camera, "any" object, or a "held_out" shape."""
    if kind == "held_out":
        return SpriteData("held_out", num_objects=1).scenes(range(num_prompts))
    return OneObject("test").scenes(range(kind == "any", 2 * num_prompts, 2))


def measure(model, preset):
    """What a few pictures show of what was asked for, as the reader of the world reads them."""
    found = {}
    for kind in KINDS:
        scenes = asked(kind, NUM_ASKED[preset])
        pictures = generate(model, [caption(scene) for scene in scenes])
        right = accuracy([scene.words for scene in scenes], read_sprites(pictures[:, :, None].cpu()))
        found |= {f"{kind}/{name}": right[name] for name in JUDGED}
    return found


def sheet(model, preset):
    """Pictures of test captions, sixteen in a row."""
    rows = {}
    for kind in KINDS:
        scenes = asked(kind, {"ci": 2, "cpu": 16, "gpu": 16}[preset])
        rows[kind] = rearrange(generate(model, [caption(scene) for scene in scenes]), "b c h w -> c b h w")
    return strips(rows)


# Adam trains the first and the last layers, Muon the rest.
ENDS = ("conv_in", "conv_out", "time_embedding")
COMMON = {"batch_size": 64, "betas": (0.9, 0.95), "weight_decay": 0.01, "ema_decay": 0.999, "precision": "auto"}
SMALL = COMMON | {"batch_size": 4, "precision": "fp32"}
LOOKS = {"measure_every": 1000, "sheet_every": 1000, "checkpoint_every": 50}
RECIPE = Recipe(
    name="sprites-image",
    build_model=lambda preset: UNet2DConditionModel(
        **UNET | {"block_out_channels": CHANNELS[preset], "sample_size": SIZES[preset][1] // 8}
    ),
    data=lambda preset: captioned_frames(NUM_CLIPS[preset], *SIZES[preset]),
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=10, learning_rate=5e-3, warmup_steps=5, decay="none", **SMALL),
                "cpu": Settings(steps=5000, learning_rate=5e-3, warmup_steps=200, decay="none", **COMMON | LOOKS),
                "gpu": Settings(steps=20_000, learning_rate=5e-3, warmup_steps=500, decay="none",
                                **COMMON | LOOKS | {"batch_size": 256}),
            }
        ),
        "anneal": Stage(
            {
                "ci": Settings(steps=5, learning_rate=5e-3, decay="linear", first_sample=10**6, **SMALL),
                "cpu": Settings(steps=3000, learning_rate=5e-3, decay="linear", first_sample=10**6, **COMMON | LOOKS),
                "gpu": Settings(steps=8000, learning_rate=5e-3, decay="linear", first_sample=10**7,
                                **COMMON | LOOKS | {"batch_size": 256}),
            },
            start="main",
        ),
        "further": Stage(
            {
                "ci": Settings(steps=5, learning_rate=4e-3, warmup_steps=2, decay="linear", first_sample=2 * 10**6,
                               **SMALL),
                "cpu": Settings(steps=6000, learning_rate=4e-3, warmup_steps=100, decay="linear",
                                first_sample=2 * 10**6, **COMMON | LOOKS),
                "gpu": Settings(steps=8000, learning_rate=4e-3, warmup_steps=100, decay="linear",
                                first_sample=2 * 10**7, **COMMON | LOOKS | {"batch_size": 256}),
            },
            start="anneal",
        ),
    },
    sheet=sheet,
    measure=measure,
)  # fmt: skip
