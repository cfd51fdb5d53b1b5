"""Our causal video autoencoder beside a 2D one of the same size that knows single frames alone.

    python benchmarks/vae_frames.py train ours         about 20 minutes of one core
    python benchmarks/vae_frames.py train frames
    python benchmarks/vae_frames.py compare            reads them, times them, writes benchmarks/results/vae_frames.json

The 2D side is built of the same pieces: patches of 4×4 pixels, a fine and a coarse grid, the same norm; where a block
of ours has a convolution over three frames, it has a second one over the picture. Its width gives it as many parameters
(within 1 %), and its latents as many numbers a clip (within 7 %): 5 channels for every frame, where ours have 16 for
every four. Training is as in `vae_peer.py`: the recipe of `sprites-vae` for both, the same minutes of one core, side by
side on the same machine.
"""

from pathlib import Path

import torch
import vae_peer
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.layers import ChannelNorm
from common.models.gaussian import DiagonalGaussian

RESULTS = Path(__file__).resolve().parent / "results" / "vae_frames.json"
CORE_SECONDS = 20 * 60


def picture_conv(in_channels: int, out_channels: int) -> nn.Conv3d:
    """A 3×3 convolution over each frame by itself."""
    return nn.Conv3d(in_channels, out_channels, (1, 3, 3), padding=(0, 1, 1))


class PictureBlock(nn.Module):
    """Twice norm, SiLU, 3×3 convolution; the input is added. It begins as the identity."""

    def __init__(self, num_channels: int):
        super().__init__()
        self.norm_first, self.norm_second = ChannelNorm(num_channels), ChannelNorm(num_channels)
        self.first, self.second = (picture_conv(num_channels, num_channels) for _ in range(2))
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.first(F.silu(self.norm_first(x)))
        return x + self.second(F.silu(self.norm_second(h)))


def blocks(num_channels: int, count: int) -> nn.Sequential:
    """Blocks one after the other."""
    return nn.Sequential(*(PictureBlock(num_channels) for _ in range(count)))


class FrameAutoencoder(ModelMixin, ConfigMixin):
    """Every frame a picture, `(B, 3, T, H, W)` to latents `(B, C, T, H/8, W/8)` and back."""

    @register_to_config
    def __init__(
        self, latent_channels: int = 5, fine: int = 40, coarse: int = 112, latents_mean=None, latents_std=None
    ):
        super().__init__()
        self.patches_in, self.down = nn.Conv3d(3 * 4 * 4, fine, 1), nn.Conv3d(4 * fine, coarse, 1)
        self.fine_in, self.coarse_in = blocks(fine, 1), blocks(coarse, 3)
        self.moments_out = nn.Sequential(ChannelNorm(coarse), nn.SiLU(), picture_conv(coarse, 2 * latent_channels))
        self.latents_in, self.up = picture_conv(latent_channels, coarse), nn.Conv3d(coarse, 4 * fine, 1)
        self.coarse_out, self.fine_out = blocks(coarse, 4), blocks(fine, 2)
        self.patches_out = nn.Sequential(ChannelNorm(fine), nn.SiLU(), picture_conv(fine, 3 * 4 * 4))
        nn.init.constant_(self.moments_out[2].bias[latent_channels:], -6.0)  # small variances, as in ours

    def encode(self, sample: torch.Tensor):
        x = rearrange(sample, "b c t (h ph) (w pw) -> b (c ph pw) t h w", ph=4, pw=4)
        x = self.fine_in(self.patches_in(x))  # (B, F, T, H/4, W/4)
        x = rearrange(x, "b c t (h ph) (w pw) -> b (c ph pw) t h w", ph=2, pw=2)
        x = self.coarse_in(self.down(x))  # (B, K, T, H/8, W/8)
        return AutoencoderKLOutput(latent_dist=DiagonalGaussian(self.moments_out(x)))

    def decode(self, z: torch.Tensor):
        x = self.coarse_out(self.latents_in(z))  # (B, K, T, H/8, W/8)
        x = rearrange(self.up(x), "b (c ph pw) t h w -> b c t (h ph) (w pw)", ph=2, pw=2)
        x = self.patches_out(self.fine_out(x))  # (B, 48, T, H/4, W/4)
        return DecoderOutput(sample=rearrange(x, "b (c ph pw) t h w -> b c t (h ph) (w pw)", ph=4, pw=4))

    def forward(self, sample: torch.Tensor):
        return self.decode(self.encode(sample).latent_dist.mode())


def beside_frames(sides: dict) -> list[str]:
    """What coding time besides space is worth."""
    ours, frames = sides["ours"], sides["frames"]
    more = ours["held_out/psnr"] - frames["held_out/psnr"]
    times = frames["seconds_float32"] / ours["seconds_float32"]
    return [f"held-out sprites: {more:+.2f} dB beside frame by frame; encode and decode {times:.1f} times faster"]


if __name__ == "__main__":
    sides = {"ours": vae_peer.SIDES["ours"], "frames": FrameAutoencoder}
    vae_peer.main(__doc__, sides, RESULTS, CORE_SECONDS, beside_frames)
