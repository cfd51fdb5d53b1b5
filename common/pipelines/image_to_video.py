"""Picture and prompt to video, as Stable Video Diffusion does it: our own loop, and diffusers' around the same weights.

    pipe = ImageToVideoPipeline.from_pretrained("sprites-svd")
    clip = pipe(picture, "a large red star moves left over a blue field").frames[0]      # (3, T, 64, 64)

    pipe = prompted_svd("sprites-svd", ["a large red star moves left over a blue field"])
    frames = pipe(picture, height=64, width=64, **SETTINGS).frames[0]      # by diffusers

Stable Video Diffusion has no prompt: its cross-attention reads an embedding of the picture. Ours reads a prompt there.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from diffusers.utils.torch_utils import randn_tensor
from einops import rearrange

from common.diffusion.image_to_video import (
    added_time_ids,
    condition_latents,
    frame_guidance,
    svd_denoise,
    svd_sample,
)
from common.diffusion.schedules import karras_sigmas
from common.models.frame_vae import FrameVAE
from common.models.inflated_model import InflatedUNet
from common.pipelines.inputs import (
    Picture,
    Seed,
    channels_of,
    demand_whole,
    first_frames,
    generator_for,
    negative_list,
    prompt_list,
)
from common.pipelines.outputs import as_output, demand_output
from common.pipelines.published import pipeline_class
from common.pipelines.text_to_image import SIGMA_MAX, SIGMA_MIN, edm_scheduler, prompt_embeds
from common.pipelines.text_to_video import TextToVideoOutput
from common.text import TextEncoder

VAE = "sprites-vae"
SETTINGS = {"num_inference_steps": 8, "min_guidance_scale": 2.5, "max_guidance_scale": 4.0, "fps": 8,
            "motion_bucket_id": 127, "noise_aug_strength": 0.02}  # fmt: skip


class ImageToVideoPipeline(DiffusionPipeline):
    """Image to video by Stable Video Diffusion's steps: Euler's, along Karras' levels, with guidance frame by frame.

    Attributes:
        text_encoder: reads the prompts; `common.text.TextEncoder` with what is installed.

    Args:
        unet: predicts v of a clip beside the picture's latents.
        vae: codes pictures one by one.

    Raises:
        ValueError: one of them is missing, or the U-Net does not read twice as many channels as latents have.
    """

    model_cpu_offload_seq = "unet->vae"

    def __init__(self, unet: UNetSpatioTemporalConditionModel, vae: FrameVAE):
        super().__init__()
        channels = channels_of("unet", unet, "in_channels"), channels_of("vae", vae, "latent_channels")
        if channels[0] != 2 * channels[1]:
            raise ValueError(
                f"the unet reads clip and picture, 2 · {channels[1]} channels of the vae; it has {channels[0]}"
            )
        self.register_modules(unet=unet, vae=vae)
        self.text_encoder = TextEncoder.installed()
        self.set_progress_bar_config(disable=True)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """A pipeline around the U-Net of a name or a folder; `vae` names the autoencoder.

        Raises:
            WeightsError: there are no such weights, or they are not those of an `InflatedUNet`.
        """
        vae = kwargs.pop("vae", VAE)
        unet = InflatedUNet.from_pretrained(pretrained_model_name_or_path, **kwargs)
        return cls(unet.eval(), FrameVAE.from_pretrained(vae))

    @torch.no_grad()
    def __call__(
        self,
        image: Picture | Sequence[Picture],
        prompt: str | Sequence[str] = "",
        height: int = 64,
        width: int = 64,
        num_frames: int | None = None,
        *,
        num_inference_steps: int = SETTINGS["num_inference_steps"],
        min_guidance_scale: float = SETTINGS["min_guidance_scale"],
        max_guidance_scale: float = SETTINGS["max_guidance_scale"],
        fps: float = SETTINGS["fps"],
        motion_bucket_id: int = SETTINGS["motion_bucket_id"],
        noise_aug_strength: float = SETTINGS["noise_aug_strength"],
        more_ids: torch.Tensor | None = None,
        negative_prompt: str | Sequence[str] | None = None,
        generator: Seed | Sequence[Seed] | None = None,
        latents: torch.Tensor | None = None,
        output_type: str = "pt",
        return_dict: bool = True,
    ):
        """Make a clip of each picture.

        Args:
            image: one, or one for each prompt; as `TextToVideoPipeline` takes it.
            prompt: what happens; one for each picture, or one for all.
            height: of the clip, in pixels.
            width: of the clip, in pixels.
            num_frames: T; None for as many as the model was trained with.
            num_inference_steps: of the sampler.
            min_guidance_scale: of the first frame.
            max_guidance_scale: of the last frame; with 1 or less there is no guidance at all.
            fps: frames per second.
            motion_bucket_id: how much moves, from 0 to 255.
            noise_aug_strength: standard deviation of the noise that is added to the picture's pixels.
            more_ids: further added numbers, `(B, K)`, for a model that is told more than these three.
            negative_prompt: what guidance leads away from, as well as from having no picture.
            generator: of the noise on the picture and then of the latents.
            latents: the noise of the clips itself, `(B, C, T, H', W')`, of standard deviation 1.
            output_type: "pt", "np", "pil" or "latent".
            return_dict: False for a tuple.

        Returns:
            `.frames`, as those of `TextToVideoOutput`.

        Raises:
            ValueError: a size or a number does not fit, or a prompt cannot be read here.
        """
        demand_output(output_type)
        num_frames = self.unet.config.num_frames if num_frames is None else num_frames
        demand_whole(num_frames=num_frames, height=height, width=width, num_inference_steps=num_inference_steps)
        prompts, device = prompt_list(prompt), self._execution_device
        several = isinstance(image, (list, tuple)) or getattr(image, "ndim", 0) == 4
        prompts = prompts * len(image) if len(prompts) == 1 and several else prompts
        pictures = first_frames(image, height, width, len(prompts)).to(device)
        generator = generator_for(generator, len(prompts))
        guided = max_guidance_scale > 1
        aug_noise = randn_tensor(pictures.shape, generator, device)
        picture = condition_latents(self.vae, pictures, noise_aug_strength, aug_noise, guided)
        noise = self.prepare_latents(picture[-len(prompts) :], num_frames, generator, latents)
        states = prompt_embeds(self.text_encoder, [*prompts, *negative_list(negative_prompt, len(prompts))]).to(device)
        ids = added_time_ids(*(
            torch.full((len(prompts),), float(value), device=device)
            for value in (fps, motion_bucket_id, noise_aug_strength)
        ))  # fmt: skip
        ids = ids if more_ids is None else torch.cat([ids, more_ids.to(ids)], dim=1)
        sigmas = karras_sigmas(num_inference_steps, SIGMA_MIN, SIGMA_MAX)
        scale, with_both, without = None, states[: len(prompts)], states[len(prompts) :]
        if guided:
            scale = frame_guidance(min_guidance_scale, max_guidance_scale, num_frames)
            with_both, ids = torch.cat([without, with_both]), torch.cat([ids, ids])
        denoise = partial(svd_denoise, self.unet, picture=picture, states=with_both, time_ids=ids)
        x = noise
        with self.progress_bar(total=num_inference_steps) as bar:
            for step in svd_sample(denoise, sigmas[0] * noise, sigmas, scale):
                x = step.sample
                bar.update()
        frames = x if output_type == "latent" else as_output(self.decode(x), output_type)
        self.maybe_free_model_hooks()
        return TextToVideoOutput(frames=frames) if return_dict else (frames,)

    def prepare_latents(self, picture: torch.Tensor, num_frames: int, generator=None, latents=None) -> torch.Tensor:
        """Noise `(B, C, T, H', W')` for clips that begin with these pictures, or the given latents.

        Raises:
            ValueError: the given latents have another shape.
        """
        shape = (*picture.shape[:2], num_frames, *picture.shape[2:])
        if latents is None:
            return randn_tensor(shape, generator, picture.device)
        if tuple(latents.shape) != shape:
            raise ValueError(f"latents are {shape} here, got {tuple(latents.shape)}")
        return latents.to(picture.device, torch.float32)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents to clips, `(B, 3, T, H, W)` in [-1, 1], each frame alone."""
        frames = self.vae.decode(rearrange(latents, "b c t h w -> (b t) c h w").to(self.vae.dtype)).sample
        return rearrange(frames, "(b t) c h w -> b c t h w", b=len(latents)).float().clamp(-1, 1)


def prompted_svd(unet: Any, prompts: Sequence[str], vae: Any = VAE, negative_prompt: str = "") -> Any:
    """diffusers' `StableVideoDiffusionPipeline` around the course's weights, for pictures of these prompts.

    One method of it is not diffusers': `_encode_image` gives the states of the prompts, where Stable Video Diffusion
    embeds the picture by CLIP.

    Args:
        unet: an `InflatedUNet`, or the name or folder of its weights.
        prompts: one for each picture that the pipeline will be called with.
        vae: a `FrameVAE`, or the name or folder of its autoencoder's weights.
        negative_prompt: what guidance leads away from.

    Raises:
        ImportError: `transformers` is not installed (the extra `models`).
        WeightsError: weights are not there.
    """
    states = prompt_embeds(TextEncoder.installed(), [*prompts, negative_prompt])

    class PromptedSVD(pipeline_class("StableVideoDiffusionPipeline")):
        def _encode_image(self, image, device, num_videos_per_prompt, do_classifier_free_guidance):
            told = states[:-1].repeat_interleave(num_videos_per_prompt, dim=0)
            if do_classifier_free_guidance:
                told = torch.cat([states[-1:].expand_as(told), told])
            return told.to(device, self.unet.dtype)

    if isinstance(unet, str):
        unet = InflatedUNet.from_pretrained(unet)
    if isinstance(vae, str):
        vae = FrameVAE.from_pretrained(vae)
    pipe = PromptedSVD(
        vae=vae, image_encoder=None, unet=unet, scheduler=edm_scheduler(), feature_extractor=None
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe
