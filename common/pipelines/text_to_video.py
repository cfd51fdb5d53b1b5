"""Prompt to video: text states, noise, steps of the transformer, pixels. With an image, that is the first frame."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor

from common.diffusion.guidance import Guidance
from common.diffusion.samplers import Step, stochastic
from common.diffusion.schedules import flow_levels, frame_levels
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import VideoDiT
from common.models.shipped import ZOO
from common.text import TextEncoder
from common.video.sampling import clip_to_frames

VAE = "sprites-vae"  # the autoencoder in whose latents the shipped transformers are trained
OUTPUTS = ("pt", "np", "latent")


@dataclass
class TextToVideoOutput(BaseOutput):
    """What the pipeline gives.

    Attributes:
        frames: as "pt" clips `(B, 3, T, H, W)` in [-1, 1]; as "np" uint8 `(B, T, H, W, 3)`; as "latent" the latents.
    """

    frames: Any


class TextToVideoPipeline(DiffusionPipeline):
    """Text to video and image to video by flow matching.

    Attributes:
        text_encoder: reads the prompts; `common.text.TextEncoder` with what is installed.

    Args:
        transformer: predicts velocities of normalised latents.
        vae: latents to pixels and back; its latents are measured.
    """

    model_cpu_offload_seq = "transformer->vae"

    def __init__(self, transformer: VideoDiT, vae: CausalVideoVAE):
        super().__init__()
        self.register_modules(transformer=transformer, vae=vae)
        self.text_encoder = TextEncoder.installed()

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """A pipeline by the name of shipped weights, or as `diffusers.DiffusionPipeline.from_pretrained`.

        Raises:
            OSError: the name is that of a recipe of the library, whose weights are not there.
        """
        name = str(pretrained_model_name_or_path)
        if "/" not in name and "\\" not in name and (ZOO / name.replace("-", "_") / "recipe.py").is_file():
            parts = (VideoDiT.from_pretrained(name), CausalVideoVAE.from_pretrained(VAE))
            return cls(*(part.float().eval() for part in parts))
        return super().from_pretrained(pretrained_model_name_or_path, **kwargs)

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | Sequence[str],
        image: torch.Tensor | None = None,
        num_frames: int = 17,
        height: int = 64,
        width: int = 64,
        num_inference_steps: int = 20,
        guidance_scale: float = 3.0,
        negative_prompt: str = "",
        shift: float = 4.0,
        eta: float = 1.0,
        generator: torch.Generator | list[torch.Generator] | None = None,
        latents: torch.Tensor | None = None,
        output_type: str = "pt",
        return_dict: bool = True,
        callback_on_step_end: Callable | None = None,
    ):
        """Make a clip for each prompt.

        Args:
            prompt: one, or a list of B.
            image: the first frame, `(3, H, W)` for all clips or `(B, 3, H, W)`, in [-1, 1]; None for text alone.
            num_frames: 1 + 4k.
            height: a multiple of 16.
            width: a multiple of 16.
            num_inference_steps: of the sampler, `stochastic`.
            guidance_scale: 1 for none.
            negative_prompt: what guidance leads away from.
            shift: of the noise levels, as in `flow_levels`.
            eta: how much of the noise each step draws anew; 0 is Euler's method.
            generator: where the noise comes from; a list has one for each prompt.
            latents: the noise itself, `(B, C, T', H', W')`.
            output_type: "pt", "np" or "latent".
            return_dict: False for a tuple.
            callback_on_step_end: called with the pipeline, the step's number, its timestep and `{"latents": …}`.

        Returns:
            `.frames`.

        Raises:
            ValueError: a size or a number does not fit, there is no prompt, or (a `TextError`) one cannot be read here.
        """
        if output_type not in OUTPUTS:
            raise ValueError(f"output_type is one of {', '.join(OUTPUTS)}; got {output_type!r}")
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        steps = self.steps(
            prompts, image, num_frames, height, width, num_inference_steps, guidance_scale, negative_prompt, shift, eta,
            generator, latents,
        )  # fmt: skip
        with self.progress_bar(total=num_inference_steps) as bar:
            for step in steps:
                latents = step.sample
                if callback_on_step_end is not None:
                    callback_on_step_end(self, step.index, 1000 * step.level, {"latents": latents})
                bar.update()
        frames = latents if output_type == "latent" else self.decode(latents)
        if output_type == "np":
            frames = clips_to_frames(frames)
        return TextToVideoOutput(frames=frames) if return_dict else (frames,)

    def steps(
        self, prompts, image, num_frames, height, width, num_inference_steps, guidance_scale, negative_prompt, shift,
        eta, generator, latents,
    ) -> Iterator[Step]:  # fmt: skip
        """The sampler's steps in normalised latents; arguments as those of a call, with a list of prompts."""
        shape = self.latents_shape(len(prompts), num_frames, height, width)
        text = self.text_encoder([*prompts, *[negative_prompt] * len(prompts)]).to(self.device)
        if isinstance(generator, list) and len(generator) != len(prompts):
            raise ValueError(f"generators are one for each prompt: {len(generator)} for {len(prompts)} prompts")
        if latents is None:
            latents = randn_tensor(shape, generator, self.device)
        elif latents.shape != shape:
            raise ValueError(f"latents are {shape} here, got {tuple(latents.shape)}")
        latents, levels = latents.to(self.device), flow_levels(num_inference_steps, shift)
        if image is not None:
            first = self.encode_image(image, height, width)  # (1 or B, C, 1, H', W')
            latents = torch.cat([first.expand(len(prompts), -1, -1, -1, -1), latents[:, :, 1:]], dim=2)
            levels = frame_levels(levels, shape[2], num_clean=1)  # (K + 1, T')
        prompt, negative = text[: len(prompts)], text[len(prompts) :]
        conditions = (prompt.states, prompt.mask), (negative.states, negative.mask)
        guided = Guidance(self.velocity, *conditions, guidance_scale)
        return stochastic(guided, latents, levels, eta, generator)

    def velocity(self, x: torch.Tensor, s: torch.Tensor, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """What the transformer says, in the samplers' terms: levels from 0 to 1, tensors in its dtype."""
        dtype = self.transformer.dtype
        return self.transformer(x.to(dtype), 1000 * s, states.to(dtype), mask).sample

    def encode_image(self, image: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """A picture's normalised latent, `(B, C, 1, H', W')`.

        Raises:
            ValueError: it is not `(3, height, width)`, or several of them.
        """
        image = image[None] if image.ndim == 3 else image
        if image.shape[1:] != (3, height, width):
            raise ValueError(f"the image is (3, {height}, {width}) or several of them, got {tuple(image.shape)}")
        clip = image[:, :, None].to(self.device, self.vae.dtype)
        return self.vae.normalize(self.vae.encode(clip).latent_dist.mode()).float()

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Normalised latents to clips, `(B, 3, T, H, W)` in [-1, 1]."""
        z = self.vae.denormalize(latents.to(self.vae.dtype))
        return self.vae.decode(z).sample.float().clamp(-1, 1)

    def latents_shape(self, batch: int, num_frames: int, height: int, width: int) -> tuple[int, ...]:
        """`(B, C, T', H', W')`.

        Raises:
            ValueError: there is no prompt, or a size does not fit.
        """
        if batch < 1:
            raise ValueError("there is no prompt")
        frames, pixels = self.vae.temporal_compression_ratio, self.vae.spatial_compression_ratio
        multiple = pixels * self.transformer.config.patch_size
        if num_frames < 1 or num_frames % frames != 1:
            raise ValueError(f"num_frames is 1 + {frames}k (1, 5, 9, ...), got {num_frames}")
        if height < multiple or width < multiple or height % multiple or width % multiple:
            raise ValueError(f"height and width are multiples of {multiple}, got {height} x {width}")
        channels = self.transformer.config.in_channels
        return batch, channels, 1 + num_frames // frames, height // pixels, width // pixels


def clips_to_frames(clips: torch.Tensor) -> np.ndarray:
    """`(B, 3, T, H, W)` in [-1, 1] to uint8 `(B, T, H, W, 3)`."""
    return np.stack([clip_to_frames(clip) for clip in clips.cpu()])
