"""A latent action model: what happened between two frames, as one of a few codes, learned from video without actions.

Genie's (Bruce et al. 2024, arXiv:2402.15391, section 2.1) in small. The encoder sees two frames of the past and the
next one. A vector quantizer allows K answers. The decoder sees the past and the code, and draws the next frame. Two
frames of the past show how fast everything moves, so the code is left for what the past does not tell.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.layers.vector_quantizer import VectorQuantizer
from common.models.shipped import Shipped
from common.tensor_ops import append_dims

PAST = 2  # frames that encoder and decoder see of the past
PRESETS = {
    "ci": {"channels": [8, 16]},
    "cpu": {"channels": [24, 48]},
    "gpu": {"channels": [96, 192]},
}


class CodeBlock(nn.Module):
    """A residual block that a code steers: norm, FiLM, SiLU, convolution, SiLU, convolution; the input added.

    The norm is over the channels of each place alone. So nothing depends on the size of the picture, and a model that
    was trained on small crops works on whole frames.

    Args:
        num_channels: C.
        cond_channels: of the signal; 0 for a block without one.
    """

    def __init__(self, num_channels: int, cond_channels: int = 0):
        super().__init__()
        self.first = nn.Conv2d(num_channels, num_channels, 3, padding=1)
        self.second = nn.Conv2d(num_channels, num_channels, 3, padding=1)
        self.film = nn.Linear(cond_channels, 2 * num_channels) if cond_channels else None

    def forward(self, x: torch.Tensor, cond: torch.Tensor | None = None) -> torch.Tensor:
        """`(B, C, H, W)` to the same, steered by `(B, cond_channels)`."""
        h = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-6)
        if self.film is not None:
            scale, shift = self.film(cond).chunk(2, dim=1)
            h = h * (1 + append_dims(scale, h)) + append_dims(shift, h)
        return x + self.second(F.silu(self.first(F.silu(h))))


class LatentActionModel(Shipped, ModelMixin, ConfigMixin):
    """Encoder, codebook, decoder. `from_pretrained("rooms-latent-actions")` gives the one for `rooms`.

    Args:
        num_codes: K; 0 for no bottleneck: what the encoder says passes as it is.
        code_dim: D, numbers in a code.
        channels: on the grid of half the height and of a quarter.
        foresight: whether the encoder sees how the next frame differs from what the past foretells. Without it, it sees
            how the next frame differs from the last one.
    """

    @register_to_config
    def __init__(
        self, num_codes: int = 8, code_dim: int = 2, channels: Sequence[int] = (24, 48), foresight: bool = True
    ):
        super().__init__()
        fine, coarse = channels
        cond = 2 * coarse
        self.quantizer = VectorQuantizer(num_codes, code_dim) if num_codes else None
        self.frames_in = nn.Conv2d(4 * 3 * (PAST + 1), fine, 3, padding=1)
        self.shrink, self.look = nn.Conv2d(4 * fine, coarse, 1), CodeBlock(coarse)
        self.code_out = nn.Linear(2 * coarse, code_dim)
        self.spread = nn.BatchNorm1d(code_dim, affine=False)  # if all z were alike, one code would do for everything
        # Without biases: a code of zeros steers nothing, and what codes do is left alone where there is none.
        layers = (nn.Linear(code_dim, cond, bias=False), nn.SiLU(), nn.Linear(cond, cond, bias=False), nn.SiLU())
        self.code_in = nn.Sequential(*layers)
        self.past_in, self.before = nn.Conv2d(4 * 3 * PAST, fine, 3, padding=1), CodeBlock(fine, cond)
        self.down, self.up = nn.Conv2d(4 * fine, coarse, 1), nn.Conv2d(coarse, 4 * fine, 1)
        self.deep = nn.ModuleList(CodeBlock(coarse, cond) for _ in range(3))
        self.join, self.after = nn.Conv2d(2 * fine, fine, 1), CodeBlock(fine, cond)
        self.change_out = nn.Conv2d(fine, 4 * 3, 3, padding=1)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: a decoder that repeats the last frame."""
        for parameter in self.change_out.parameters():
            nn.init.zeros_(parameter)

    def encode(self, past: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """What happened between the last frame of the past and the next frame, beyond what the past alone foretells.

        The encoder sees the past, and how the next frame differs from `foretell`.

        Args:
            past: `(B, 3, 2, H, W)` in [-1, 1], oldest first; height and width are multiples of 4.
            following: the next frame, `(B, 3, H, W)`.

        Returns:
            z, `(B, D)`. Over a batch in training, each number has mean 0 and variance 1.
        """
        last = past[:, :, -1]
        with torch.no_grad():
            surprise = following - (self.foretell(past) if self.config.foresight else last)
        x = torch.cat([last, last - past[:, :, 0], surprise], dim=1)
        x = self.frames_in(F.pixel_unshuffle(x, 2))  # (B, C0, H/2, W/2)
        x = self.look(self.shrink(F.pixel_unshuffle(F.silu(x), 2)))  # (B, C1, H/4, W/4)
        z = self.code_out(torch.cat([x.amax(dim=(2, 3)), x.amin(dim=(2, 3))], dim=1))
        return self.spread(z.float())

    def foretell(self, past: torch.Tensor) -> torch.Tensor:
        """The next frame as the past alone foretells it: the decoder with a code of zeros. `(B, 3, H, W)`."""
        return self.decode(past, past.new_zeros(len(past), self.config.code_dim))

    def quantize(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """z through the bottleneck: codes `(B, D)` and their numbers `(B,)`; without one z itself, and zeros."""
        if self.quantizer is None:
            return z, torch.zeros(len(z), dtype=torch.int64, device=z.device)
        return self.quantizer(z)

    def decode(self, past: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """The next frame, from the past and what happened.

        Args:
            past: `(B, 3, 2, H, W)`, as for `encode`.
            codes: `(B, D)`.

        Returns:
            `(B, 3, H, W)`, not clamped.
        """
        cond, last = self.code_in(codes), past[:, :, -1]
        x = self.past_in(F.pixel_unshuffle(torch.cat([last, last - past[:, :, 0]], dim=1), 2))
        skip = self.before(x, cond)  # (B, C0, H/2, W/2)
        x = self.down(F.pixel_unshuffle(skip, 2))  # (B, C1, H/4, W/4)
        for block in self.deep:
            x = block(x, cond)
        x = self.after(self.join(torch.cat([F.pixel_shuffle(self.up(x), 2), skip], dim=1)), cond)
        return last + F.pixel_shuffle(self.change_out(F.silu(x)), 2).float()

    def forward(self, past: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """The next frame from the past and its own code, `(B, 3, H, W)`. Arguments as for `encode`."""
        return self.decode(past, self.quantize(self.encode(past, following))[0])

    @torch.no_grad()
    def infer(self, clip: torch.Tensor, batch_size: int = 64) -> torch.Tensor:
        """The codes of a video: what happened between frames t + 1 and t + 2, for every t.

        Args:
            clip: T frames, `(3, T, H, W)` in [-1, 1].
            batch_size: steps at a time.

        Returns:
            int64 `(T - 2,)`.
        """
        windows = rearrange(clip.unfold(1, PAST + 1, 1), "c n h w t -> n c t h w")
        found = [self.quantize(self.encode(w[:, :, :PAST], w[:, :, PAST]))[1] for w in windows.split(batch_size)]
        return torch.cat(found)


class LatentActionLoss(NamedTuple):
    """What `latent_action_loss` found.

    Attributes:
        loss: missed + beta · commitment, a scalar.
        missed: the share of the change between frames that the decoder misses: 0 is perfect, 1 is the last frame again.
        commitment: mean squared distance of z from its code.
        z: of the encoder, `(B, D)`.
        indices: of the codes, int64 `(B,)`.
    """

    loss: torch.Tensor
    missed: torch.Tensor
    commitment: torch.Tensor
    z: torch.Tensor
    indices: torch.Tensor


def latent_action_loss(model, clip: torch.Tensor, beta: float = 0.25) -> LatentActionLoss:
    """The loss of a latent action model: draw the next frame through the bottleneck.

    The encoder sees past and next frame, the decoder the past and the code. With x the next frame, x̂ what the decoder
    draws, and x₀ the last frame of the past, sums over all pixels and samples:

        missed = Σ |x̂ - x|² / Σ |x₀ - x|²,   commitment = mean over samples of Σ_d (z_d - e_d)²

    The commitment moves z, not the code (VQ-VAE, arXiv:1711.00937, equation 3, its third term). Gradients of `missed`
    reach the encoder straight through the codes.

    Args:
        model: with `encode(past, following)`, `quantize(z)` and `decode(past, codes)`, as `LatentActionModel` has them.
        clip: the past's frames and the next one, `(B, C, T, H, W)`. Some pixel changes between the last two frames.
        beta: weight of the commitment.

    Returns:
        `LatentActionLoss`, or a tuple of the same five. z and indices as the model gave them.
    """
    past, following = clip[:, :, :-1], clip[:, :, -1]
    z = model.encode(past, following)
    codes, indices = model.quantize(z)
    drawn = model.decode(past, codes)
    missed = (drawn - following).square().sum() / (past[:, :, -1] - following).square().sum()
    commitment = (z - codes.detach()).square().sum(dim=1).mean()
    return LatentActionLoss(missed + beta * commitment, missed, commitment, z, indices)


def past_loss(model: LatentActionModel, clip: torch.Tensor) -> torch.Tensor:
    """What the past alone misses of the change: the loss of `foretell`.

    A code goes to the largest change that the decoder cannot foretell *yet*, and stays there. So the decoder learns
    what the past tells, how fast things fall and where they land, and the encoder sees the rest.

    Args:
        model: a `LatentActionModel`.
        clip: as for `latent_action_loss`.

    Returns:
        The missed share, a scalar.
    """
    past, following = clip[:, :, :-1], clip[:, :, -1]
    return (model.foretell(past) - following).square().sum() / (past[:, :, -1] - following).square().sum()
