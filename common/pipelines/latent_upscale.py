"""The second model of a cascade as a pipeline: small latents in, a larger clip out."""

from collections.abc import Sequence

import torch
from diffusers import DiffusionPipeline
from diffusers.utils.torch_utils import randn_tensor

from common.diffusion.super_resolution import Preconditioned, super_resolve, upsample_condition
from common.models.autoencoder import CausalVideoVAE
from common.models.super_resolution import SuperResolutionDiT
from common.pipelines.inputs import Seed, channels_of, demand_whole, generator_for
from common.pipelines.outputs import as_output, demand_output
from common.pipelines.shipped_parts import ShippedParts
from common.pipelines.text_to_video import TextToVideoOutput, TextToVideoPipeline

SHIPPED, SCALE_FACTOR = "sprites-upscaler", 2


def code_enlarged(vae: CausalVideoVAE, latents: torch.Tensor) -> torch.Tensor:
    """Normalised latents of small clips to those of the same clips with twice the rows and columns.

    The clips are decoded, enlarged by `upsample_condition`, whose mean of 0 and std of 1 leave pixels as they are, and
    coded again. Latents that are enlarged themselves show another picture: a latent is no pixel.
    """
    dtype = vae.dtype
    pixels = vae.decode(vae.denormalize(latents.to(dtype))).sample.clamp(-1, 1)
    large = upsample_condition(pixels, [0.0] * 3, [1.0] * 3, SCALE_FACTOR)
    return vae.normalize(vae.encode(large).latent_dist.mode())


class LatentUpscalePipeline(ShippedParts, DiffusionPipeline):
    """Latents of a small clip to a clip of twice the height and width, by flow matching.

    Args:
        transformer: predicts velocities of large latents, given small ones.
        vae: latents to pixels; it made the small latents too.

    Raises:
        ValueError: one of them is missing, or their latents have different numbers of channels.
    """

    model_cpu_offload_seq = "transformer->vae"

    def __init__(self, transformer: SuperResolutionDiT, vae: CausalVideoVAE):
        super().__init__()
        channels = channels_of("transformer", transformer, "in_channels"), channels_of("vae", vae, "latent_channels")
        if channels[0] != channels[1]:
            raise ValueError(f"the transformer's latents have {channels[0]} channels, the vae's {channels[1]}")
        self.register_modules(transformer=transformer, vae=vae)

    @staticmethod
    def transformer_class() -> type[SuperResolutionDiT]:
        """`SuperResolutionDiT`."""
        return SuperResolutionDiT

    @torch.no_grad()
    def __call__(
        self,
        latents: torch.Tensor,
        *,
        noise_level: float = 0.2,
        num_inference_steps: int = 3,
        shift: float = 1.0,
        generator: Seed | Sequence[Seed] | None = None,
        output_type: str = "pt",
        return_dict: bool = True,
    ):
        """Draw a larger clip.

        Args:
            latents: normalised latents of the small clips, `(B, C, T', H', W')`, as a pipeline's output type "latent".
            noise_level: of the condition, from 0 to 1: 0 trusts every detail of the small clip. Faults of a first
                model need more than a true clip.
            num_inference_steps: of Euler's method.
            shift: of the noise levels, as in `flow_levels`.
            generator: as in `TextToVideoPipeline`.
            output_type: "pt", "np", "pil" or "latent"; see `TextToVideoOutput`.
            return_dict: False for a tuple.

        Returns:
            `.frames`, of twice the height and width.

        Raises:
            ValueError: a number does not fit, or the latents are not such.
        """
        demand_output(output_type), demand_whole(num_inference_steps=num_inference_steps)
        generator, device = generator_for(generator, len(latents)), self._execution_device
        condition = self.condition(latents.to(device))
        noise, condition_noise = (randn_tensor(condition.shape, generator, device) for _ in range(2))
        sampler = {"noise_level": noise_level, "num_inference_steps": num_inference_steps, "shift": shift}
        large = super_resolve(Preconditioned(self.correction), condition, noise, condition_noise, **sampler)
        large = self.transformer.denormalize(large)
        frames = large if output_type == "latent" else as_output(self.decode(large), output_type)
        self.maybe_free_model_hooks()
        return TextToVideoOutput(frames=frames) if return_dict else (frames,)

    def condition(self, latents: torch.Tensor) -> torch.Tensor:
        """Small latents as the transformer wants them: those of the enlarged clip, renormalised, float32."""
        large = code_enlarged(self.vae, latents).float()
        return upsample_condition(large, *self.transformer.statistics("condition"), scale_factor=1)

    def correction(self, x, timestep, condition, condition_timestep):
        """The transformer in its own dtype."""
        dtype = self.transformer.dtype
        return self.transformer(x.to(dtype), timestep, condition.to(dtype), condition_timestep)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Normalised latents to clips, `(B, 3, T, H, W)` in [-1, 1]."""
        z = self.vae.denormalize(latents.to(self.vae.dtype))
        return self.vae.decode(z).sample.float().clamp(-1, 1)


def cascade(
    first: TextToVideoPipeline,
    second: LatentUpscalePipeline,
    prompt: str | Sequence[str],
    *,
    generator: Seed | Sequence[Seed] | None = None,
    noise_level: float = 0.2,
    num_upscale_steps: int = 3,
    output_type: str = "pt",
    **options,
):
    """Two pipelines one after the other: a prompt to a small clip, and that to a clip of twice the size.

    The first pipeline gives latents, and the second decodes, enlarges and codes them again: its condition.

    Args:
        first: makes the small clip.
        second: makes it larger.
        prompt: one, or a list.
        generator: as in `TextToVideoPipeline`; the second pipeline goes on with the same.
        noise_level: of the second pipeline.
        num_upscale_steps: its `num_inference_steps`.
        output_type: of the large clip.
        options: for the first pipeline.

    Returns:
        `.frames`.
    """
    num_videos = (1 if isinstance(prompt, str) else len(prompt)) * options.get("num_videos_per_prompt", 1)
    generator = generator_for(generator, num_videos)
    small = first(prompt, generator=generator, output_type="latent", **options).frames
    sampler = {"noise_level": noise_level, "num_inference_steps": num_upscale_steps}
    return second(small, generator=generator, output_type=output_type, **sampler)
