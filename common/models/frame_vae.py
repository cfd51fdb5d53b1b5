"""A video autoencoder as the image VAE of diffusers' pipelines: Stable Diffusion, AnimateDiff, SVD."""

from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin

from common.models.autoencoder import CausalVideoVAE
from common.models.gaussian import DiagonalGaussian
from common.models.outputs import DecoderOutput


class FrameVAE(ModelMixin, ConfigMixin):
    """A causal video autoencoder that codes pictures: each is a clip of one frame.

    It has the calls and the settings that diffusers' pipelines ask of their `vae`. Its latents are normalised: the
    mean of each channel is taken away and its standard deviation divided out, which is why `scaling_factor` is 1.

        pipe = StableDiffusionPipeline(vae=FrameVAE.from_pretrained("sprites-vae"), unet=…, …)

    Args:
        vae: the autoencoder.
    """

    config: Any
    config_name = "config.json"

    def __init__(self, vae: CausalVideoVAE):
        super().__init__()
        self.vae = vae
        # From the number of blocks a pipeline counts by how much a latent is smaller: 2 ** (4 - 1).
        self.register_to_config(
            block_out_channels=(1, 1, 1, 1), latent_channels=vae.config.latent_channels, scaling_factor=1.0,
            shift_factor=None, force_upcast=False,
        )  # fmt: skip

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """The weights of a `CausalVideoVAE`, such as "sprites-vae"; arguments and errors are those of its method."""
        return cls(CausalVideoVAE.from_pretrained(pretrained_model_name_or_path, **kwargs).eval())

    def encode(self, x: torch.Tensor, return_dict: bool = True) -> Any:
        """Pictures `(N, 3, 8 H', 8 W')` in [-1, 1] to `.latent_dist`, over normalised latents `(N, C, H', W')`."""
        found = self.vae.encode(x[:, :, None]).latent_dist
        scale = self.vae.normalize(torch.ones_like(found.mean)) - self.vae.normalize(torch.zeros_like(found.mean))
        mean, logvar = self.vae.normalize(found.mean), found.logvar + 2 * scale.log()
        dist = DiagonalGaussian(torch.cat([mean, logvar], dim=1)[:, :, 0])
        return AutoencoderKLOutput(latent_dist=dist) if return_dict else (dist,)

    def decode(
        self,
        z: torch.Tensor,
        return_dict: bool = True,
        generator: torch.Generator | None = None,
        num_frames: int | None = None,
    ) -> Any:
        """Normalised latents `(N, C, H', W')` to `.sample`, pictures `(N, 3, 8 H', 8 W')`, not clamped.

        Args:
            z: of N pictures.
            return_dict: False for a tuple.
            generator: not used: decoding draws nothing.
            num_frames: not used: no picture sees another. Stable Video Diffusion's own decoder does need it.
        """
        pictures = self.vae.decode(self.vae.denormalize(z[:, :, None])).sample[:, :, 0]
        return DecoderOutput(sample=pictures) if return_dict else (pictures,)

    def forward(self, sample: torch.Tensor, num_frames: int | None = None) -> DecoderOutput:
        """Encode and decode by the most likely latents."""
        return self.decode(self.encode(sample).latent_dist.mode(), num_frames=num_frames)
