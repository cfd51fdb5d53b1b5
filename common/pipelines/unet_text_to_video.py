"""Prompt to video by an inflated image U-Net: Euler's steps along Karras' levels, with guidance.

pipe = UNetTextToVideoPipeline.from_pretrained("sprites-unet-t2v")
clip = pipe("a large red star moves left over a blue field").frames[0]      # (3, T, 64, 64) in [-1, 1]
"""

from collections.abc import Sequence
from functools import partial

import torch
from diffusers import DiffusionPipeline
from diffusers.utils.torch_utils import randn_tensor
from einops import rearrange

from common.diffusion.image_to_video import svd_sample
from common.diffusion.schedules import karras_sigmas
from common.diffusion.video_loss import video_denoise
from common.models.frame_vae import FrameVAE
from common.models.video_unet import VideoUNet
from common.pipelines.inputs import Seed, demand_whole, generator_for, negative_list, prompt_list
from common.pipelines.outputs import as_output, demand_output
from common.pipelines.text_to_image import SIGMA_MAX, SIGMA_MIN, prompt_embeds
from common.pipelines.text_to_video import TextToVideoOutput
from common.text import TextEncoder

VAE = "sprites-vae"
SETTINGS = {"num_inference_steps": 12, "guidance_scale": 4.0}


class UNetTextToVideoPipeline(DiffusionPipeline):
    """Text to video by a `VideoUNet`, in the latents of an autoencoder that codes each frame alone.

    Attributes:
        text_encoder: reads the prompts; `common.text.TextEncoder` with what is installed.

    Args:
        unet: predicts v of noisy clips.
        vae: codes pictures one by one.
    """

    model_cpu_offload_seq = "unet->vae"

    def __init__(self, unet: VideoUNet, vae: FrameVAE):
        super().__init__()
        self.register_modules(unet=unet, vae=vae)
        self.text_encoder = TextEncoder.installed()
        self.set_progress_bar_config(disable=True)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """A pipeline around the U-Net of a name or a folder; `vae` names the autoencoder.

        Raises:
            WeightsError: there are no such weights, or they are not those of a `VideoUNet`.
        """
        vae = kwargs.pop("vae", VAE)
        return cls(VideoUNet.from_pretrained(pretrained_model_name_or_path, **kwargs), FrameVAE.from_pretrained(vae))

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | Sequence[str],
        num_frames: int | None = None,
        height: int = 64,
        width: int = 64,
        *,
        num_inference_steps: int = SETTINGS["num_inference_steps"],
        guidance_scale: float = SETTINGS["guidance_scale"],
        negative_prompt: str | Sequence[str] | None = None,
        generator: Seed | Sequence[Seed] | None = None,
        latents: torch.Tensor | None = None,
        output_type: str = "pt",
        return_dict: bool = True,
    ):
        """Make a clip for each prompt.

        Args:
            prompt: one, or a list.
            num_frames: T; None for as many as the model was trained with.
            height: of the clip, in pixels.
            width: of the clip, in pixels.
            num_inference_steps: of the sampler.
            guidance_scale: 1 for no guidance.
            negative_prompt: what guidance leads away from.
            generator: of the noise.
            latents: the noise itself, `(B, C, T, H', W')`, of standard deviation 1.
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
        generator, guided = generator_for(generator, len(prompts)), guidance_scale != 1
        channels, pixels = self.vae.config.latent_channels, 2 ** (len(self.vae.config.block_out_channels) - 1)
        shape = (len(prompts), channels, num_frames, height // pixels, width // pixels)
        if latents is None:
            latents = randn_tensor(shape, generator, device)
        elif tuple(latents.shape) != shape:
            raise ValueError(f"latents are {shape} here, got {tuple(latents.shape)}")
        states = prompt_embeds(self.text_encoder, [*prompts, *negative_list(negative_prompt, len(prompts))]).to(device)
        told, without = states.chunk(2)
        told = torch.cat([without, told]) if guided else told
        scale = torch.full((num_frames,), float(guidance_scale)) if guided else None
        sigmas, x = karras_sigmas(num_inference_steps, SIGMA_MIN, SIGMA_MAX), latents.to(device, torch.float32)
        with self.progress_bar(total=num_inference_steps) as bar:
            for step in svd_sample(partial(video_denoise, self.unet, states=told), sigmas[0] * x, sigmas, scale):
                x = step.sample
                bar.update()
        frames = x if output_type == "latent" else as_output(self.decode(x), output_type)
        self.maybe_free_model_hooks()
        return TextToVideoOutput(frames=frames) if return_dict else (frames,)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents to clips, `(B, 3, T, H, W)` in [-1, 1], each frame alone."""
        frames = self.vae.decode(rearrange(latents, "b c t h w -> (b t) c h w").to(self.vae.dtype)).sample
        return rearrange(frames, "(b t) c h w -> b c t h w", b=len(latents)).float().clamp(-1, 1)
