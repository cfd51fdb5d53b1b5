"""Image VAEs of other people, such as Stable Diffusion's, behind the interface that `encode_frames` wants."""

import torch
from diffusers import AutoencoderKL
from diffusers.models.modeling_outputs import AutoencoderKLOutput

from common.models.gaussian import DiagonalGaussian
from common.models.hub import quiet_loading
from common.models.outputs import DecoderOutput

SD_VAE = "stabilityai/sd-vae-ft-mse"  # 84 M parameters, 8 times fewer rows and columns, 4 channels
TINY = {  # the same class with 25 thousand parameters, to try the calls on
    "block_out_channels": (8, 8, 8, 8),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4,
    "norm_num_groups": 4,
}


class ImageVAE:
    """diffusers' `AutoencoderKL` as a coder of clips of one frame.

    Args:
        vae: takes images `(N, 3, H, W)` in [-1, 1].
    """

    def __init__(self, vae: AutoencoderKL):
        self.vae = vae

    def encode(self, sample: torch.Tensor) -> AutoencoderKLOutput:
        """`(N, 3, 1, H, W)` to `.latent_dist`, a posterior over `(N, C, 1, H', W')`."""
        moments = self.vae.encode(sample[:, :, 0]).latent_dist.parameters  # (N, 2 C, H', W')
        return AutoencoderKLOutput(latent_dist=DiagonalGaussian(moments[:, :, None]))

    def decode(self, z: torch.Tensor) -> DecoderOutput:
        """`(N, C, 1, H', W')` to `.sample`, `(N, 3, 1, H, W)`."""
        return DecoderOutput(sample=self.vae.decode(z[:, :, 0]).sample[:, :, None])


def load_image_vae(name: str = SD_VAE, *, local_files_only: bool = True) -> ImageVAE:
    """A pretrained image VAE, which codes its images one after the other ("slicing"), so that long clips fit.

    Args:
        name: on the Hugging Face Hub, or a folder.
        local_files_only: take it from this machine only; False downloads it (335 MB for the usual one).

    Raises:
        OSError: it is not there.
    """
    with quiet_loading():
        vae = AutoencoderKL.from_pretrained(name, local_files_only=local_files_only)
    vae.eval().requires_grad_(False)
    vae.enable_slicing()
    return ImageVAE(vae)
