"""A causal video autoencoder: 4 times fewer frames, 8 times fewer rows and columns, images and video in one model.

The first frame becomes one latent by itself, every four after it one more: 1 + 4k frames, 1 + k latents. Nothing looks
ahead, so an image is a clip of one frame, and a stream can be coded as it comes, in memory that does not grow.

Speed is why it looks as it does. The first thing is to cut every frame into patches of 4×4 pixels, so that no
convolution ever runs at full resolution (patches before the first layer: LTX-Video, arXiv:2501.00103). There are two
grids: a fine one, a quarter of the height and every frame, where shapes are drawn; and a coarse one, an eighth of the
height and every fourth frame, where most of the weights are. The way between them is a rearrangement and a matrix.
"""

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.layers import CausalConv3d, ChannelNorm, Downsample, FactorizedBlock, Upsample, causal_downsample
from common.models.gaussian import DiagonalGaussian
from common.models.outputs import DecoderOutput
from common.models.shipped import Shipped

Cache = list[torch.Tensor]

PRESETS = {
    "ci": {"fine_channels": 16, "coarse_channels": 32, "num_fine": 1, "num_coarse": 1},
    "cpu": {"fine_channels": 48, "coarse_channels": 128, "num_fine": 1, "num_coarse": 3},
    "gpu": {"fine_channels": 96, "coarse_channels": 224, "num_fine": 2, "num_coarse": 3},
}


class Stack(nn.Module):
    """Blocks one after the other, each with its own cache."""

    def __init__(self, num_channels: int, num_blocks: int):
        super().__init__()
        self.blocks = nn.ModuleList(FactorizedBlock(num_channels) for _ in range(num_blocks))

    def forward(self, x: torch.Tensor, caches: Cache | None = None) -> tuple[torch.Tensor, Cache]:
        """`(B, C, T, H, W)` to the same, and the caches for the next piece."""
        new = []
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks), strict=True):
            x, cache = block(x, cache)
            new.append(cache)
        return x, new


class Encoder(nn.Module):
    """Groups of 4 frames to the moments of latents: `(B, 3, 4 T', 8 H', 8 W')` to `(B, 2 C, T', H', W')`."""

    def __init__(self, latent_channels: int, fine: int, coarse: int, num_fine: int, num_coarse: int):
        super().__init__()
        self.patches_in = nn.Conv3d(3 * 4 * 4, fine, 1)
        self.fine = Stack(fine, num_fine)
        self.down = Downsample(fine, coarse)
        self.coarse = Stack(coarse, num_coarse)
        self.norm_out = ChannelNorm(coarse)
        self.moments_out = CausalConv3d(coarse, 2 * latent_channels, (1, 3, 3))

    def forward(self, clip: torch.Tensor, caches: list[Cache] | None = None) -> tuple[torch.Tensor, list[Cache]]:
        fine_cache, coarse_cache = caches or (None, None)
        x = rearrange(clip, "b c t (h ph) (w pw) -> b (c ph pw) t h w", ph=4, pw=4)
        x, fine_cache = self.fine(self.patches_in(x), fine_cache)  # (B, F, 4 T', 2 H', 2 W')
        x, coarse_cache = self.coarse(self.down(x), coarse_cache)  # (B, K, T', H', W')
        moments, _ = self.moments_out(F.silu(self.norm_out(x)))  # (B, 2 C, T', H', W')
        return moments, [fine_cache, coarse_cache]


class Decoder(nn.Module):
    """Latents to groups of 4 frames: `(B, C, T', H', W')` to `(B, 3, 4 T', 8 H', 8 W')`."""

    def __init__(self, latent_channels: int, fine: int, coarse: int, num_fine: int, num_coarse: int):
        super().__init__()
        self.latents_in = CausalConv3d(latent_channels, coarse, (1, 3, 3))
        self.coarse = Stack(coarse, num_coarse)
        self.up = Upsample(coarse, fine)
        self.fine = Stack(fine, num_fine)
        self.norm_out = ChannelNorm(fine)
        self.patches_out = CausalConv3d(fine, 3 * 4 * 4, (1, 3, 3))

    def forward(self, latents: torch.Tensor, caches: list[Cache] | None = None) -> tuple[torch.Tensor, list[Cache]]:
        coarse_cache, fine_cache = caches or (None, None)
        x, _ = self.latents_in(latents)
        x, coarse_cache = self.coarse(x, coarse_cache)  # (B, K, T', H', W')
        x, fine_cache = self.fine(self.up(x), fine_cache)  # (B, F, 4 T', 2 H', 2 W')
        x, _ = self.patches_out(F.silu(self.norm_out(x)))
        clip = rearrange(x, "b (c ph pw) t h w -> b c t (h ph) (w pw)", ph=4, pw=4)
        return clip, [coarse_cache, fine_cache]


class CausalVideoVAE(Shipped, ModelMixin, ConfigMixin):
    """The causal video autoencoder. `from_pretrained("sprites-vae")` gives the one that ships with the library.

    Args:
        latent_channels: C of the latents.
        fine_channels: width on the fine grid: a quarter of the height, every frame.
        coarse_channels: width on the coarse grid: an eighth of the height, every fourth frame.
        num_fine: blocks on the fine grid, in the encoder; the decoder has one more.
        num_coarse: blocks on the coarse grid, in the encoder; the decoder has one more.
        latents_mean: of each latent channel over the training data, measured after training; None before.
        latents_std: standard deviation of each latent channel, likewise.
    """

    temporal_compression_ratio = 4
    spatial_compression_ratio = 8

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 16,
        fine_channels: int = 48,
        coarse_channels: int = 128,
        num_fine: int = 1,
        num_coarse: int = 3,
        latents_mean: Sequence[float] | None = None,
        latents_std: Sequence[float] | None = None,
    ):
        super().__init__()
        self.encoder = Encoder(latent_channels, fine_channels, coarse_channels, num_fine, num_coarse)
        self.decoder = Decoder(latent_channels, fine_channels, coarse_channels, num_fine + 1, num_coarse + 1)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: every block the identity; small log-variances, so that early samples are near their mean."""
        for module in self.modules():
            if isinstance(module, FactorizedBlock):
                module.init_weights()
        bias = self.encoder.moments_out.get_parameter("conv.bias")
        nn.init.constant_(bias[len(bias) // 2 :], -6.0)

    def encode(self, sample: torch.Tensor, return_dict: bool = True) -> Any:
        """Compress a clip.

        Args:
            sample: `(B, 3, 1 + 4k, 8 H', 8 W')`, in [-1, 1].
            return_dict: False for a tuple.

        Returns:
            `.latent_dist`, a `DiagonalGaussian` over `(B, C, 1 + k, H', W')`.

        Raises:
            ValueError: the clip's size is none of these.
        """
        dist, _ = self.encode_chunk(sample)
        return AutoencoderKLOutput(latent_dist=dist) if return_dict else (dist,)

    def decode(self, z: torch.Tensor, return_dict: bool = True) -> Any:
        """Restore a clip.

        Args:
            z: latents `(B, C, 1 + k, H', W')`.
            return_dict: False for a tuple.

        Returns:
            `.sample`, `(B, 3, 1 + 4k, 8 H', 8 W')`, about [-1, 1] and not clamped, so that gradients pass.
        """
        clip, _ = self.decode_chunk(z)
        return DecoderOutput(sample=clip) if return_dict else (clip,)

    def encode_chunk(
        self, sample: torch.Tensor, caches: list[Cache] | None = None
    ) -> tuple[DiagonalGaussian, list[Cache]]:
        """Compress the next piece of a stream. The pieces' latents are those of the whole clip.

        Args:
            sample: `(B, 3, T, 8 H', 8 W')`: 1 + 4k frames at the beginning, 4k afterwards.
            caches: what the piece before returned; None at the beginning.

        Returns:
            The distribution of the piece's latents, and the caches for the next piece, whose size does not grow.

        Raises:
            ValueError: the piece's size is none of these.
        """
        self._check_clip(sample)
        moments, later = causal_downsample(self.encoder, sample, caches, self.temporal_compression_ratio)
        return DiagonalGaussian(moments), later  # pyrefly: ignore [bad-return]  # the caches of this encoder

    def decode_chunk(self, z: torch.Tensor, caches: list[Cache] | None = None) -> tuple[torch.Tensor, list[Cache]]:
        """Restore the next piece of a stream.

        Args:
            z: latents `(B, C, T', H', W')`, at least one frame.
            caches: what the piece before returned; None at the beginning.

        Returns:
            `(B, 3, T, 8 H', 8 W')`, 4 T' frames (at the beginning 4 T' - 3), and the caches for the next piece.
        """
        begins = caches is None
        clip, caches = self.decoder(z, caches)
        return clip[:, :, 3:] if begins else clip, caches

    def normalize(self, z: torch.Tensor) -> torch.Tensor:
        """Latents as a diffusion model wants them: mean 0 and standard deviation 1 in each channel."""
        mean, std = self._statistics(z)
        return (z - mean) / std

    def denormalize(self, z: torch.Tensor) -> torch.Tensor:
        """The way back from `normalize`, before `decode`."""
        mean, std = self._statistics(z)
        return z * std + mean

    def forward(self, sample: torch.Tensor, generator: torch.Generator | None = None) -> DecoderOutput:
        """Encode and decode: the most likely latents, or a draw where there is a generator."""
        dist = self.encode(sample).latent_dist
        return self.decode(dist.mode() if generator is None else dist.sample(generator))

    def _statistics(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.config.latents_mean is None or self.config.latents_std is None:
            raise ValueError("this autoencoder's latents were never measured: its config has no latents_mean and _std")
        mean, std = (torch.tensor(x).to(z) for x in (self.config.latents_mean, self.config.latents_std))
        return mean.reshape(1, -1, 1, 1, 1), std.reshape(1, -1, 1, 1, 1)

    def _check_clip(self, sample: torch.Tensor) -> None:
        if sample.ndim != 5 or sample.shape[1] != 3:
            raise ValueError(f"a clip is (B, 3, T, H, W), got {tuple(sample.shape)}")
        height, width = sample.shape[3:]
        if height % 8 or width % 8:
            raise ValueError(f"height and width must be multiples of 8, got {height} x {width}")
