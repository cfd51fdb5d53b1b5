"""diffusers' own `StableDiffusionPipeline` with the course's image model, image VAE and text encoder.

    pipe = text_to_image("sprites-image")
    states = prompt_embeds(TextEncoder.installed(), ["a large red star moves left over a blue field", ""])
    picture = pipe(prompt_embeds=states[:1], negative_prompt_embeds=states[1:], **SETTINGS).images[0]

It has neither tokenizer nor CLIP: prompts come as states of MiniLM.
"""

from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from torch.nn import functional as F

from common.models.frame_vae import FrameVAE
from common.models.shipped import find, nearest_name
from common.pipelines.published import pipeline_class
from common.text import TextEncoder

NUM_TOKENS = 32  # of a prompt; of the 8,000 training captions the longest has 29
SIGMA_MIN, SIGMA_MAX = 0.02, 80.0
SETTINGS = {"num_inference_steps": 16, "guidance_scale": 4.0}  # as the card measures the model


def prompt_embeds(text_encoder: TextEncoder, prompts, num_tokens: int = NUM_TOKENS) -> torch.Tensor:
    """Prompts as diffusers' pipelines take them: `(B, num_tokens, 384)`, zero behind the end of a text.

    Those pipelines hand no mask to the model, so it must have been trained with the zeros.

    Raises:
        ValueError: a prompt is longer.
    """
    states = text_encoder(prompts).states  # (B, L, 384)
    if states.shape[1] > num_tokens:
        raise ValueError(f"a prompt has {states.shape[1]} tokens; this model reads up to {num_tokens}")
    return F.pad(states, (0, 0, 0, num_tokens - states.shape[1]))


def edm_scheduler(sigma_min: float = SIGMA_MIN, sigma_max: float = SIGMA_MAX) -> EulerDiscreteScheduler:
    """The scheduler of Stable Video Diffusion: Euler's steps along Karras' levels, v-prediction, told ln(sigma) / 4.

    Args:
        sigma_min: the last level but 0.
        sigma_max: the first level.
    """
    return EulerDiscreteScheduler(
        prediction_type="v_prediction", timestep_type="continuous", use_karras_sigmas=True, sigma_min=sigma_min,
        sigma_max=sigma_max, timestep_spacing="trailing", steps_offset=1,
    )  # fmt: skip


def text_to_image(unet: Any = "sprites-image", vae: str = "sprites-vae"):
    """`StableDiffusionPipeline` around the course's weights.

    Args:
        unet: a `UNet2DConditionModel`, or the name or folder of its weights.
        vae: the name or folder of a `CausalVideoVAE`, which codes the pictures.

    Raises:
        ImportError: `transformers` is not installed (the extra `models`).
        WeightsError: weights are not there.
    """
    build = pipeline_class("StableDiffusionPipeline")
    if isinstance(unet, str):
        with nearest_name(unet):
            unet = UNet2DConditionModel.from_pretrained(find(unet)).eval()
    pipe = build(
        vae=FrameVAE.from_pretrained(vae), text_encoder=None, tokenizer=None, unet=unet, scheduler=edm_scheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe
