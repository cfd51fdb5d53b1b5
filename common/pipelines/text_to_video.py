"""Prompt to video: text states, noise, steps of the transformer, pixels. With an image, that is the first frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.callbacks import MultiPipelineCallbacks, PipelineCallback
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor

from common.diffusion.dual_guidance import DualGuidance
from common.diffusion.guidance import Guidance
from common.diffusion.samplers import Step, stochastic
from common.diffusion.schedules import flow_levels, frame_levels
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import VideoDiT
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
from common.pipelines.shipped_parts import ShippedParts
from common.text import TextEncoder, TextStates


@dataclass
class TextToVideoOutput(BaseOutput):
    """What the pipeline gives.

    Attributes:
        frames: as "pt" clips `(B, 3, T, H, W)` in [-1, 1]; as "np" float32 `(B, T, H, W, 3)` in [0, 1]; as "pil" a list
            of T pictures for each clip; as "latent" the normalised latents `(B, C, T', H', W')`.
    """

    frames: Any


class TextToVideoPipeline(ShippedParts, DiffusionPipeline):
    """Text to video and image to video by flow matching.

    Attributes:
        text_encoder: reads the prompts; `common.text.TextEncoder` with what is installed.

    Args:
        transformer: predicts velocities of normalised latents.
        vae: latents to pixels and back; its latents are measured.

    Raises:
        ValueError: one of them is missing, or their latents have different numbers of channels.
    """

    model_cpu_offload_seq = "transformer->vae"
    _callback_tensor_inputs = ["latents"]

    def __init__(self, transformer: VideoDiT, vae: CausalVideoVAE):
        super().__init__()
        channels = channels_of("transformer", transformer, "in_channels"), channels_of("vae", vae, "latent_channels")
        if channels[0] != channels[1]:
            raise ValueError(f"the transformer's latents have {channels[0]} channels, the vae's {channels[1]}")
        self.register_modules(transformer=transformer, vae=vae)
        self.text_encoder = TextEncoder.installed()
        self._guidance_scale, self._num_timesteps, self._current_timestep, self._interrupt = 1.0, 0, None, False

    @staticmethod
    def transformer_class() -> type[VideoDiT]:
        """`VideoDiT`."""
        return VideoDiT

    @property
    def guidance_scale(self) -> float:
        """Of the call that runs, or the last one; a callback may set `_guidance_scale`."""
        return self._guidance_scale

    @property
    def do_classifier_free_guidance(self) -> bool:
        """Whether each step asks without the prompt too."""
        return self._guidance_scale != 1

    @property
    def num_timesteps(self) -> int:
        """Steps of the call that runs, or the last one."""
        return self._num_timesteps

    @property
    def current_timestep(self) -> torch.Tensor | None:
        """Of the step that runs; None between calls."""
        return self._current_timestep

    @property
    def interrupt(self) -> bool:
        """Whether the steps that are left are skipped: a callback sets `_interrupt`."""
        return self._interrupt

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | Sequence[str],
        image: Picture | Sequence[Picture] | None = None,
        num_frames: int = 17,
        height: int = 64,
        width: int = 64,
        *,
        num_inference_steps: int = 20,
        guidance_scale: float = 3.0,
        image_guidance_scale: float | None = None,
        guidance_rescale: float = 0.0,
        negative_prompt: str | Sequence[str] | None = None,
        num_videos_per_prompt: int = 1,
        shift: float = 4.0,
        eta: float = 1.0,
        generator: Seed | Sequence[Seed] | None = None,
        latents: torch.Tensor | None = None,
        output_type: str = "pt",
        return_dict: bool = True,
        callback_on_step_end: Callable | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
    ):
        """Make a clip for each prompt, or several.

        Args:
            prompt: one, or a list.
            image: the first frame of all clips, or one for each prompt. A PIL image, an array `(H, W, 3)` (uint8, or
                floats in [0, 1]) or a tensor `(3, H, W)` (uint8, or floats in [-1, 1]); None for text alone.
            num_frames: 1 + 4k.
            height: a multiple of 16.
            width: a multiple of 16.
            num_inference_steps: of the sampler, `stochastic`.
            guidance_scale: 1 for none.
            image_guidance_scale: how much the image counts, apart from the prompt, as in `DualGuidance`; None: the
                image is given, and guidance is by the prompt alone.
            guidance_rescale: as `rescale` in `rescale_guidance`; it goes with `image_guidance_scale`.
            negative_prompt: what guidance leads away from: one for all, or a list with one per prompt. None: "".
            num_videos_per_prompt: clips of each prompt, one after the other: B is their number for all prompts.
            shift: of the noise levels, as in `flow_levels`.
            eta: how much of the noise each step draws anew; 0 is Euler's method.
            generator: where the noise comes from: a generator or its seed for the batch, or a list with one per clip.
            latents: the noise itself, `(B, C, T', H', W')`.
            output_type: "pt", "np", "pil" or "latent"; see `TextToVideoOutput`.
            return_dict: False for a tuple.
            callback_on_step_end: called with the pipeline, the step's number, its timestep (1000 times the noise level)
                and `{"latents": …}`. The sampler goes on from the latents in the dictionary that it returns.
            callback_on_step_end_tensor_inputs: what is in that dictionary: "latents" or nothing.

        Returns:
            `.frames`.

        Raises:
            ValueError: a size or a number does not fit, there is no prompt, or (a `TextError`) one cannot be read here.
        """
        if isinstance(callback_on_step_end, (PipelineCallback, MultiPipelineCallbacks)):
            callback_on_step_end_tensor_inputs = callback_on_step_end.tensor_inputs
        demand_output(output_type), self._demand_known(callback_on_step_end_tensor_inputs)
        demand_whole(num_frames=num_frames, height=height, width=width, num_inference_steps=num_inference_steps)
        if not (callback_on_step_end is None or callable(callback_on_step_end)):
            raise ValueError(f"callback_on_step_end is a function or None, got {callback_on_step_end!r}")
        if image is None and image_guidance_scale is not None:
            raise ValueError(f"image_guidance_scale is of an image, and there is none; got {image_guidance_scale}")
        if image_guidance_scale is None and guidance_rescale:
            raise ValueError(f"guidance_rescale goes with image_guidance_scale; got {guidance_rescale} alone")
        prompts = prompt_list(prompt, num_videos_per_prompt)  # B of them
        num_prompts = len(prompts) // num_videos_per_prompt
        shape, device = self.latents_shape(len(prompts), num_frames, height, width), self._execution_device
        generator = generator_for(generator, len(prompts))
        if image is not None:
            image = first_frames(image, height, width, num_prompts, num_videos_per_prompt)
        texts = self.encode_prompt(prompts, negative_list(negative_prompt, num_prompts, num_videos_per_prompt))
        noise = self.prepare_latents(shape, generator, latents)
        x = noise if image is None else torch.cat([self.encode_image(image), noise[:, :, 1:]], dim=2)
        levels = flow_levels(num_inference_steps, shift)  # (K + 1,)
        self._guidance_scale, self._num_timesteps, self._interrupt = guidance_scale, num_inference_steps, False
        per_frame = levels if image is None else frame_levels(levels, shape[2], num_clean=1)  # (K + 1, T')

        def guided(x, s):
            if image_guidance_scale is None:
                return Guidance(self.velocity, *texts, self._guidance_scale)(x, s)
            scales = image_guidance_scale, self._guidance_scale
            return DualGuidance(self.velocity, *texts, *scales, noise[:, :, :1], guidance_rescale)(x, s)

        with self.progress_bar(total=num_inference_steps) as bar:
            for step in stochastic(guided, x, per_frame, eta, generator):
                self._current_timestep = 1000 * levels[step.index].to(device)
                if callback_on_step_end is not None:
                    offered = dict.fromkeys(callback_on_step_end_tensor_inputs, step.sample)
                    take_back(step, callback_on_step_end(self, step.index, self._current_timestep, offered))
                x = step.sample
                bar.update()
                if self._interrupt:
                    break
        self._current_timestep = None
        frames = x if output_type == "latent" else as_output(self.decode(x), output_type)
        self.maybe_free_model_hooks()
        return TextToVideoOutput(frames=frames) if return_dict else (frames,)

    def encode_prompt(self, prompts: list[str], negative_prompts: list[str]) -> tuple[tuple, tuple]:
        """States and mask of the prompts, and of the negative ones, all padded to one length: `(B, L, D)`, `(B, L)`."""
        text = self.text_encoder([*prompts, *negative_prompts]).to(self._execution_device)
        halves: list[TextStates] = [text[: len(prompts)], text[len(prompts) :]]
        return tuple((half.states, half.mask) for half in halves)

    def prepare_latents(self, shape, generator, latents=None) -> torch.Tensor:
        """Noise of a shape, or the given latents.

        Raises:
            ValueError: the given latents have another shape.
        """
        device = self._execution_device
        if latents is None:
            latents = randn_tensor(shape, generator, device)
        elif tuple(latents.shape) != shape:
            raise ValueError(f"latents are {shape} here, got {tuple(latents.shape)}")
        return latents.to(device, torch.float32)

    def velocity(self, x: torch.Tensor, s: torch.Tensor, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """What the transformer says, in the samplers' terms: levels from 0 to 1, tensors in its dtype."""
        dtype = self.transformer.dtype
        return self.transformer(x.to(dtype), 1000 * s, states.to(dtype), mask).sample

    def encode_image(self, image: torch.Tensor) -> torch.Tensor:
        """The normalised latents `(B, C, 1, H', W')` of pictures `(B, 3, H, W)` in [-1, 1]."""
        clip = image[:, :, None].to(self._execution_device, self.vae.dtype)
        return self.vae.normalize(self.vae.encode(clip).latent_dist.mode()).float()

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Normalised latents to clips, `(B, 3, T, H, W)` in [-1, 1]."""
        z = self.vae.denormalize(latents.to(self.vae.dtype))
        return self.vae.decode(z).sample.float().clamp(-1, 1)

    def latents_shape(self, batch: int, num_frames: int, height: int, width: int) -> tuple[int, ...]:
        """`(B, C, T', H', W')`.

        Raises:
            ValueError: a size does not fit.
        """
        frames, pixels = self.vae.temporal_compression_ratio, self.vae.spatial_compression_ratio
        multiple = pixels * self.transformer.config.patch_size
        if num_frames < 1 or num_frames % frames != 1:
            raise ValueError(f"num_frames is 1 + {frames}k (1, 5, 9, ...), got {num_frames}")
        if height < multiple or width < multiple or height % multiple or width % multiple:
            raise ValueError(f"height and width are multiples of {multiple}, got {height} x {width}")
        channels = self.transformer.config.in_channels
        return batch, channels, 1 + num_frames // frames, height // pixels, width // pixels

    def _demand_known(self, tensor_inputs: Sequence[str]) -> None:
        unknown = [name for name in tensor_inputs if name not in self._callback_tensor_inputs]
        if unknown:
            raise ValueError(f"a callback can be given {', '.join(self._callback_tensor_inputs)}; got {unknown}")


def take_back(step: Step, returned: dict | None) -> None:
    """Write the latents that a callback returned into the step's sample, from which the sampler goes on.

    Raises:
        ValueError: they have another shape.
    """
    latents = (returned or {}).get("latents", step.sample)
    if latents.shape != step.sample.shape:
        raise ValueError(f"a callback returns latents {tuple(step.sample.shape)}, got {tuple(latents.shape)}")
    step.sample.copy_(latents)
