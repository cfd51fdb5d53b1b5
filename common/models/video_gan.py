"""A small video GAN: a generator, and two discriminators of which one sees single frames and one sees motion.

The division of labour is DVD-GAN's (Clark et al. 2019, arXiv:1907.06571), and before it MoCoGAN's (arXiv:1707.04993).
The image discriminator sees a few frames of a clip, sharp, each by itself, and no time. The video discriminator sees
every frame at half the size: enough to follow things, too little to judge their edges. Take it away and frames may
still be fine while what happens between them is nonsense.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from einops import rearrange
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized

from common.models.shipped import Shipped

PRESETS = {
    "ci": {"num_frames": 6, "size": 20, "channels": 24, "judge_channels": 16},
    "cpu": {"num_frames": 6, "size": 20, "channels": 32, "judge_channels": 24},
    "gpu": {"num_frames": 8, "size": 32, "channels": 40, "judge_channels": 32},
}  # as float16 none is larger than 8 MB

SLOPE = 0.2  # of the discriminators' activation below zero


@dataclass
class VideoGANOutput(BaseOutput):
    """What the generator gives: `sample`, clips `(B, 3, T, H, W)` in [-1, 1]."""

    sample: torch.Tensor


class VideoGenerator(nn.Module):
    """A latent to a clip: a code for every frame, and one painter for all of them.

    All frames of a clip come from one latent. Each has a code through weights of its own; after that every frame is
    painted by itself, with the same weights. Nothing in here prefers a smooth motion to a jumpy one: the video
    discriminator has to teach that.

    Args:
        num_frames: T.
        size: H and W; a multiple of 4.
        latent_dim: D, numbers that stand for a clip.
        channels: C of the small maps, a multiple of 8; the larger ones have half as many.
    """

    def __init__(self, num_frames: int, size: int, latent_dim: int, channels: int):
        super().__init__()
        if size % 4 or channels % 8:
            raise ValueError(f"size is a multiple of 4 and channels of 8, got {size=}, {channels=}")
        self.num_frames, self.side, width = num_frames, size // 4, 4 * channels
        self.codes = nn.Linear(latent_dim, num_frames * width)
        self.think = nn.Linear(width, width)
        self.seeds = nn.Linear(width, channels * self.side**2)
        self.norm_small = nn.GroupNorm(4, channels)
        self.small = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm_in = nn.GroupNorm(4, channels)
        self.enlarge = nn.ConvTranspose2d(channels, channels // 2, 4, stride=2, padding=1)
        self.norm_out = nn.GroupNorm(4, channels // 2)
        self.paint = nn.ConvTranspose2d(channels // 2, 3, 4, stride=2, padding=1)

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """`(B, D)`, standard normal, to clips `(B, 3, T, H, W)` in [-1, 1]."""
        x = rearrange(self.codes(latents), "b (t k) -> (b t) k", t=self.num_frames)
        x = self.seeds(F.silu(self.think(F.silu(x))))
        x = rearrange(x, "n (c h w) -> n c h w", h=self.side, w=self.side)  # (B T, C, H/4, W/4)
        x = x + self.small(F.silu(self.norm_small(x)))
        x = self.enlarge(F.silu(self.norm_in(x)))  # (B T, C/2, H/2, W/2)
        x = self.paint(F.silu(self.norm_out(x)))  # (B T, 3, H, W)
        return rearrange(torch.tanh(x), "(b t) c h w -> b c t h w", t=self.num_frames)


class ImageDiscriminator(nn.Module):
    """One frame to a score. It sees every pixel, and no time.

    Args:
        in_channels: of a frame.
        channels: of the first layer; the others have twice as many.
        normalized: whether each layer's weights are divided by their largest singular value.
    """

    def __init__(self, in_channels: int, channels: int, normalized: bool = True):
        super().__init__()
        norm = spectral_norm if normalized else nn.Identity()
        self.first = norm(nn.Conv2d(in_channels, channels, 4, stride=2, padding=1))
        self.second = norm(nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1))
        self.third = norm(nn.Conv2d(2 * channels, 2 * channels, 3, stride=2, padding=1))
        self.score = norm(nn.Linear(2 * channels, 1))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """`(B, C, H, W)` to scores `(B,)`, any number: high for real, low for made."""
        x = F.leaky_relu(self.first(frames), SLOPE)  # (B, K, H/2, W/2)
        x = F.leaky_relu(self.second(x), SLOPE)  # (B, 2 K, H/4, W/4)
        x = F.leaky_relu(self.third(x), SLOPE)  # (B, 2 K, H/8, W/8)
        return self.score(x.sum(dim=(2, 3)))[:, 0]


class VideoDiscriminator(nn.Module):
    """A clip to a score. It sees every frame at half the size, so that what it can judge is how things move.

    Args:
        in_channels: of a clip.
        channels: of the first layer; the others have twice as many.
        normalized: whether each layer's weights are divided by their largest singular value.
    """

    def __init__(self, in_channels: int, channels: int, normalized: bool = True):
        super().__init__()
        norm = spectral_norm if normalized else nn.Identity()
        self.first = norm(nn.Conv3d(in_channels, channels, (3, 4, 4), stride=(1, 2, 2), padding=1))
        self.second = norm(nn.Conv3d(channels, 2 * channels, 3, stride=2, padding=1))
        self.third = norm(nn.Conv3d(2 * channels, 2 * channels, 3, padding=1))
        self.score = norm(nn.Linear(2 * channels, 1))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Score each clip of a batch by itself.

        Every frame is halved by averaging 2x2 pixels. Then come `first`, `second` and `third`, each followed by a
        leaky ReLU of slope `SLOPE`. Their output is summed over time, height and width, and `score` makes one number
        of it.

        Args:
            clips: `(B, C, T, H, W)` in any memory layout, H and W even and at least 4, any T.

        Returns:
            Scores `(B,)`, any number: high for real, low for made. They have the clips' dtype, and gradients reach
            every weight and the clips.
        """
        x = F.avg_pool3d(clips, (1, 2, 2))  # (B, C, T, H/2, W/2)
        x = F.leaky_relu(self.first(x), SLOPE)  # (B, K, T, H/4, W/4)
        x = F.leaky_relu(self.second(x), SLOPE)  # (B, 2 K, T/2, H/8, W/8)
        x = F.leaky_relu(self.third(x), SLOPE)  # the same
        return self.score(x.sum(dim=(2, 3, 4)))[:, 0]


class Discriminators(nn.Module):
    """The image discriminator, the video discriminator, or both; each may look at several samples at once.

    Looking at `pack` samples at once, side by side as channels, is PacGAN's remedy against collapse (Lin et al. 2017,
    arXiv:1712.04086): two clips that are the same are suspicious, even where each of them could be real.

    Args:
        branches: of "image" and "video".
        channels: K of each branch.
        pack: samples that are judged together.
        normalized: as in the branches.
    """

    def __init__(self, branches: list[str], channels: int, pack: int = 1, normalized: bool = True):
        super().__init__()
        kinds = {"image": ImageDiscriminator, "video": VideoDiscriminator}
        if not branches or set(branches) - set(kinds):
            raise ValueError(f"branches are of {', '.join(kinds)}, at least one; got {branches}")
        if pack < 1:
            raise ValueError(f"pack is at least 1, got {pack}")
        self.pack = pack
        self.branches = nn.ModuleDict({name: kinds[name](3 * pack, channels, normalized) for name in branches})

    def forward(self, clips: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """Judge clips; the image discriminator sees some frames of each, and its score is the mean of theirs.

        Args:
            clips: `(B, 3, T, H, W)`; `pack` divides B.
            frames: `(B, F)`, which frames of each clip it sees.

        Returns:
            Scores `(B / pack, number of branches)`.
        """
        scores = []
        for name, branch in self.branches.items():
            if name == "video":
                scores.append(branch(rearrange(clips, "(b m) c t h w -> b (m c) t h w", m=self.pack)))
                continue
            pictures = clips[torch.arange(len(clips), device=clips.device)[:, None], :, frames]  # (B, F, 3, H, W)
            pictures = rearrange(pictures, "(b m) f c h w -> (b f) (m c) h w", m=self.pack)
            scores.append(branch(pictures).unflatten(0, (-1, frames.shape[1])).mean(dim=1))
        return torch.stack(scores, dim=1)


class VideoGAN(Shipped, ModelMixin, ConfigMixin):
    """Generator and discriminators together. `from_pretrained("sprites-gan")` gives those that ship with the library.

    Args:
        num_frames: T of a clip.
        size: H and W, a multiple of 4.
        latent_dim: D, numbers that stand for a clip.
        channels: of the generator.
        judge_channels: of each discriminator.
        branches: of the discriminators, "image" and "video".
        pack: samples that the discriminators see together.
        normalized: spectral norm in the discriminators (Miyato et al. 2018, arXiv:1802.05957).
    """

    @register_to_config
    def __init__(
        self,
        num_frames: int = 6,
        size: int = 20,
        latent_dim: int = 32,
        channels: int = 48,
        judge_channels: int = 24,
        branches: Sequence[str] = ("image", "video"),
        pack: int = 1,
        normalized: bool = True,
    ):
        super().__init__()
        self.generator = VideoGenerator(num_frames, size, latent_dim, channels)
        self.discriminators = Discriminators(list(branches), judge_channels, pack, normalized)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: what a layer says depends on its input and not on its bias, so other latents, other clips.

        The first pictures are grey, and the first scores small. Half of what a frame's code takes from the latent is
        what all frames take: the frames of a clip are relatives from the beginning, and no more than that.
        """
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d):
                nn.init.zeros_(layer.get_parameter("bias"))
                if not is_parametrized(layer):  # spectral norm undoes every scale
                    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
        nn.init.normal_(self.generator.paint.weight, std=0.02)
        for branch in self.discriminators.branches.values():
            if not is_parametrized(branch.get_submodule("score")):
                nn.init.normal_(branch.get_parameter("score.weight"), std=0.02)
        own = self.generator.codes.weight.detach().unflatten(0, (self.generator.num_frames, -1))  # (T, K, D), a view
        shared = torch.randn_like(own[0]) * own.std()
        own.add_(shared).div_(2**0.5)

    def forward(self, latents: torch.Tensor) -> VideoGANOutput:
        """`(B, D)` to `.sample`, clips `(B, 3, T, H, W)` in [-1, 1]."""
        return VideoGANOutput(sample=self.generator(latents))

    @torch.no_grad()
    def sample(self, num_clips: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Clips `(num_clips, 3, T, H, W)` in [-1, 1] from fresh latents."""
        device = None if generator is None else generator.device
        latents = torch.randn(num_clips, self.config.latent_dim, generator=generator, device=device)
        return self.generator(latents.to(self.device, self.dtype))
