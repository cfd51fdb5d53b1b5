"""A 2D variational autoencoder: every frame of a clip is coded alone, as image models do it. No layer sees time.

It is the counterpart of `CausalVideoVAE`, built of the same parts: patches of 4×4 pixels, a fine grid at a quarter of
the height, a coarse one at an eighth, the same norm. Where a block there has a convolution over three frames, a block
here has a second one over the picture. So the two differ in one thing: whether the coder may use more than one frame.
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

from common.layers import ChannelNorm
from common.models.autoencoder import CausalVideoVAE
from common.models.gaussian import DiagonalGaussian
from common.models.outputs import DecoderOutput
from common.models.shipped import Shipped

PRESETS = {
    "ci": {"fine_channels": 16, "coarse_channels": 32, "num_fine": 1, "num_coarse": 1},
    "cpu": {"fine_channels": 40, "coarse_channels": 112, "num_fine": 1, "num_coarse": 3},
    "gpu": {"fine_channels": 80, "coarse_channels": 192, "num_fine": 2, "num_coarse": 3},
}


def frame_conv(in_channels: int, out_channels: int) -> nn.Conv3d:
    """A 3×3 convolution over each frame alone: `(B, C_in, T, H, W)` to `(B, C_out, T, H, W)`."""
    return nn.Conv3d(in_channels, out_channels, (1, 3, 3), padding=(0, 1, 1))


class FrameBlock(nn.Module):
    """A residual block: twice norm, SiLU, 3×3 convolution over each frame; the input is added.

    Args:
        num_channels: C.
    """

    def __init__(self, num_channels: int):
        super().__init__()
        self.norm_first, self.norm_second = ChannelNorm(num_channels), ChannelNorm(num_channels)
        self.first, self.second = frame_conv(num_channels, num_channels), frame_conv(num_channels, num_channels)

    def init_weights(self) -> None:
        """Make the block the identity."""
        for parameter in self.second.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(B, C, T, H, W)` to the same."""
        h = self.first(F.silu(self.norm_first(x)))
        return x + self.second(F.silu(self.norm_second(h)))


def stack(num_channels: int, num_blocks: int) -> nn.Sequential:
    """Blocks one after the other."""
    return nn.Sequential(*(FrameBlock(num_channels) for _ in range(num_blocks)))


class FrameAutoencoder(Shipped, ModelMixin, ConfigMixin):
    """The frame-by-frame autoencoder. `from_pretrained("sprites-frame-vae")` gives the one that ships.

    With 5 channels for each frame it spends as many numbers per clip of 17 frames as `CausalVideoVAE` with 16 channels
    for every four: 5 · 17 = 85 per place against 16 · 5 = 80.

    Args:
        latent_channels: C of the latents.
        fine_channels: width on the fine grid: a quarter of the height.
        coarse_channels: width on the coarse grid: an eighth of the height.
        num_fine: blocks on the fine grid, in the encoder; the decoder has one more.
        num_coarse: blocks on the coarse grid, in the encoder; the decoder has one more.
        latents_mean: of each latent channel over the training data, measured after training; None before.
        latents_std: standard deviation of each latent channel, likewise.
    """

    temporal_compression_ratio = 1
    spatial_compression_ratio = 8

    # Both kinds of autoencoder keep their latents' statistics in the config, and use them in the same way.
    normalize, denormalize = CausalVideoVAE.normalize, CausalVideoVAE.denormalize
    _statistics = CausalVideoVAE._statistics

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 5,
        fine_channels: int = 40,
        coarse_channels: int = 112,
        num_fine: int = 1,
        num_coarse: int = 3,
        latents_mean: Sequence[float] | None = None,
        latents_std: Sequence[float] | None = None,
    ):
        super().__init__()
        fine, coarse = fine_channels, coarse_channels
        self.patches_in, self.down = nn.Conv3d(3 * 4 * 4, fine, 1), nn.Conv3d(2 * 2 * fine, coarse, 1)
        self.fine_in, self.coarse_in = stack(fine, num_fine), stack(coarse, num_coarse)
        self.norm_moments, self.moments_out = ChannelNorm(coarse), frame_conv(coarse, 2 * latent_channels)
        self.latents_in, self.up = frame_conv(latent_channels, coarse), nn.Conv3d(coarse, 2 * 2 * fine, 1)
        self.coarse_out, self.fine_out = stack(coarse, num_coarse + 1), stack(fine, num_fine + 1)
        self.norm_patches, self.patches_out = ChannelNorm(fine), frame_conv(fine, 3 * 4 * 4)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: every block the identity; small log-variances, so that early samples are near their mean."""
        for module in self.modules():
            if isinstance(module, FrameBlock):
                module.init_weights()
        nn.init.constant_(self.get_parameter("moments_out.bias")[self.config.latent_channels :], -6.0)

    def encode(self, sample: torch.Tensor, return_dict: bool = True) -> Any:
        """Compress every frame of a clip.

        Args:
            sample: `(B, 3, T, 8 H', 8 W')`, in [-1, 1]; any number of frames.
            return_dict: False for a tuple.

        Returns:
            `.latent_dist`, a `DiagonalGaussian` over `(B, C, T, H', W')`.

        Raises:
            ValueError: the clip's size is none of these.
        """
        if sample.ndim != 5 or sample.shape[1] != 3 or sample.shape[3] % 8 or sample.shape[4] % 8:
            raise ValueError(f"a clip is (B, 3, T, H, W), H and W multiples of 8; got {tuple(sample.shape)}")
        x = rearrange(sample, "b c t (h ph) (w pw) -> b (c ph pw) t h w", ph=4, pw=4)
        x = self.fine_in(self.patches_in(x))  # (B, F, T, 2 H', 2 W')
        x = rearrange(x, "b c t (h ph) (w pw) -> b (c ph pw) t h w", ph=2, pw=2)
        x = self.coarse_in(self.down(x))  # (B, K, T, H', W')
        dist = DiagonalGaussian(self.moments_out(F.silu(self.norm_moments(x))))
        return AutoencoderKLOutput(latent_dist=dist) if return_dict else (dist,)

    def decode(self, z: torch.Tensor, return_dict: bool = True) -> Any:
        """Restore every frame.

        Args:
            z: latents `(B, C, T, H', W')`.
            return_dict: False for a tuple.

        Returns:
            `.sample`, `(B, 3, T, 8 H', 8 W')`, about [-1, 1] and not clamped, so that gradients pass.
        """
        x = self.coarse_out(self.latents_in(z))  # (B, K, T, H', W')
        x = rearrange(self.up(x), "b (c ph pw) t h w -> b c t (h ph) (w pw)", ph=2, pw=2)
        x = self.patches_out(F.silu(self.norm_patches(self.fine_out(x))))  # (B, 48, T, 2 H', 2 W')
        clip = rearrange(x, "b (c ph pw) t h w -> b c t (h ph) (w pw)", ph=4, pw=4)
        return DecoderOutput(sample=clip) if return_dict else (clip,)

    def forward(self, sample: torch.Tensor, generator: torch.Generator | None = None) -> DecoderOutput:
        """Encode and decode: the most likely latents, or a draw where there is a generator."""
        dist = self.encode(sample).latent_dist
        return self.decode(dist.mode() if generator is None else dist.sample(generator))


def encode_frames(vae, clips: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Encode a clip frame by frame: time is folded into the batch, so that every frame is an image by itself.

    Args:
        vae: of images: `vae.encode(images)` takes `(N, 3, 1, H, W)`, clips of one frame each, any number of them, and
            gives an object with the attribute `latent_dist`, the posterior, whose `mode()` and `sample(generator)` are
            `(N, C, 1, H', W')`.
        clips: `(B, 3, T, H, W)` in [-1, 1].
        generator: for a draw from the posterior, `latent_dist.sample(generator)`. None for the most likely latents,
            `latent_dist.mode()`, which are the same in every call.

    Returns:
        `(B, C, T, H', W')`: the latent of frame t of clip b is at `[b, :, t]`.
    """
    images = rearrange(clips, "b c t h w -> (b t) c 1 h w")
    posterior = vae.encode(images).latent_dist
    latents = posterior.mode() if generator is None else posterior.sample(generator)  # (B T, C, 1, H', W')
    return rearrange(latents, "(b t) c 1 h w -> b c t h w", b=len(clips))


def decode_frames(vae, latents: torch.Tensor) -> torch.Tensor:
    """Decode a clip frame by frame, the way back from `encode_frames`.

    Args:
        vae: of images: `vae.decode(latents)` takes `(N, C, 1, H', W')`, any number of them, and gives an object whose
            attribute `sample` is `(N, 3, 1, H, W)`.
        latents: `(B, C, T, H', W')`.

    Returns:
        The clips, `(B, 3, T, H, W)`, not clamped, so that gradients pass.
    """
    images = vae.decode(rearrange(latents, "b c t h w -> (b t) c 1 h w")).sample  # (B T, 3, 1, H, W)
    return rearrange(images, "(b t) c 1 h w -> b c t h w", b=len(latents))


def equal_rate(
    num_frames: int,
    latent_channels: int,
    temporal_compression_ratio: int = 4,
    spatial_compression_ratio: int = 8,
    *,
    frame_compression_ratio: int = 8,
) -> int:
    """Equal rate: the channels with which a frame-by-frame coder spends as many numbers per clip as a video coder.

    The video coder is causal: of T = 1 + k r frames it makes 1 + k latents. The frame coder makes T of them.

    Args:
        num_frames: T, frames of the clip.
        latent_channels: C of the video coder.
        temporal_compression_ratio: r, frames per latent of the video coder.
        spatial_compression_ratio: s: the video coder's latents have H / s rows and W / s columns.
        frame_compression_ratio: f: the frame coder's latents have H / f rows and W / f columns.

    Returns:
        The whole number nearest to the number of channels that makes the two counts equal; a half goes to the even
        one, as Python's `round` does it. At least 1, since no coder has fewer.

    Raises:
        ValueError: an argument is below 1, or T is not 1 + k r.
    """
    ratios = (temporal_compression_ratio, spatial_compression_ratio, frame_compression_ratio)
    if min(num_frames, latent_channels, *ratios) < 1:
        raise ValueError(f"{num_frames} frames, {latent_channels} channels, ratios {ratios}: each is at least 1")
    k, rest = divmod(num_frames - 1, temporal_compression_ratio)
    if rest:
        raise ValueError(f"a clip has 1 + k * {temporal_compression_ratio} frames, got {num_frames}")
    video = latent_channels * (1 + k) * frame_compression_ratio**2  # times H W / (s f)²
    frames = num_frames * spatial_compression_ratio**2  # per channel
    return max(1, round(video / frames))
