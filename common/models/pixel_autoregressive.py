"""Video Pixel Networks in miniature: a clip's exact likelihood, one pixel after the other.

A clip is as probable as its pixels, each given all before it: earlier frames whole, and of its own frame the rows above
and what lies to the left (Kalchbrenner et al. 2016, arXiv:1610.00527). Masked convolutions say all of a frame's
probabilities in one call (PixelCNN: van den Oord et al. 2016, arXiv:1601.06759). Drawing a frame takes a call per
pixel, because each draw is an input of the next.

Smaller than the original in three ways: pixels have a few levels and no colour; the past is the two frames before, seen
by a few convolutions, where the original carries all of it in a ConvLSTM; and the masked convolutions are stacked
plainly, which leaves them blind to some pixels above to the right.
"""

import math

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.models.shipped import Shipped

NUM_PAST = 2  # frames: where things are and which way they go
PRESETS = {
    "ci": {"width": 16, "num_layers": 2},
    "cpu": {"width": 24, "num_layers": 3},
    "gpu": {"width": 96, "num_layers": 8},
}


class MaskedConv2d(nn.Conv2d):
    """A convolution that sees the rows above and, in its own row, what lies to the left.

    Args:
        channels_in, channels: of input and output.
        kernel_size: odd.
        sees_itself: whether the pixel in the middle counts: not in the first layer, whose input is the pixels
            themselves; in all later ones, whose input knows no more than it may.
    """

    def __init__(self, channels_in: int, channels: int, kernel_size: int, sees_itself: bool):
        super().__init__(channels_in, channels, kernel_size, padding=kernel_size // 2)
        middle = kernel_size // 2
        mask = torch.ones(kernel_size, kernel_size)
        mask[middle, middle + sees_itself :] = 0
        mask[middle + 1 :] = 0
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """`(N, C, H, W)` to `(N, C', H, W)`."""
        return F.conv2d(input, self.weight * self.mask, self.bias, padding=self.padding)


class PixelVideoModel(Shipped, ModelMixin, ConfigMixin):
    """The probability of every pixel of a clip, given all before it.

    Args:
        num_levels: that a pixel can have, at least 2.
        width: channels.
        num_layers: masked layers after the first.
    """

    @register_to_config
    def __init__(self, num_levels: int = 2, width: int = 24, num_layers: int = 3):
        super().__init__()
        if num_levels < 2:
            raise ValueError(f"a pixel has at least 2 levels, got num_levels={num_levels}")
        self.past = nn.Sequential(
            nn.Conv2d(NUM_PAST * num_levels, width, 5, padding=2), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1)
        )
        self.present = MaskedConv2d(num_levels, width, 7, sees_itself=False)
        self.layers = nn.ModuleList(MaskedConv2d(width, width, 3, sees_itself=True) for _ in range(num_layers))
        self.logits_out = nn.Conv2d(width, num_levels, 1)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of every pixel's levels, from what comes before the pixel alone.

        Args:
            clips: int64 `(B, T, H, W)`, levels from 0 to `num_levels` - 1.

        Returns:
            `(B, L, T, H, W)`.

        Raises:
            ValueError: the clips have another shape, or a level that does not exist.
        """
        self._check(clips)
        marks = F.one_hot(clips, self.config.num_levels).to(self.dtype)  # (B, T, H, W, L)
        earlier = F.pad(marks, (0, 0) * 3 + (NUM_PAST, 0))  # no frame, no level: zeros
        num_frames = clips.shape[1]
        past = torch.stack([earlier[:, k : k + num_frames] for k in range(NUM_PAST)], dim=-1)  # (B, T, H, W, L, 2)
        logits = self.frame_logits(
            rearrange(marks, "b t h w l -> (b t) l h w"), rearrange(past, "b t h w l k -> (b t) (k l) h w")
        )
        return rearrange(logits, "(b t) l h w -> b l t h w", t=num_frames)

    def frame_logits(self, marks: torch.Tensor, past: torch.Tensor) -> torch.Tensor:
        """Frames `(N, L, H, W)` and the frames before them `(N, 2 L, H, W)`, one-hot, to logits `(N, L, H, W)`."""
        return self._read(marks, self.past(past))

    def _read(self, marks: torch.Tensor, past: torch.Tensor) -> torch.Tensor:
        """The same with `past`, what the frames before say: `(N, width, H, W)`."""
        x = self.present(marks) + past
        for layer in self.layers:
            x = x + layer(F.silu(x))
        return self.logits_out(F.silu(x))

    def log_prob(self, clips: torch.Tensor) -> torch.Tensor:
        """How probable each frame is, given the frames before it: nats, `(B, T)`, for int64 `(B, T, H, W)`."""
        logits = self(clips).float()
        return -F.cross_entropy(logits, clips, reduction="none").sum(dim=(2, 3))

    @torch.no_grad()
    def sample(
        self, beginning: torch.Tensor, num_frames: int, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Go on with clips, frame by frame, pixel by pixel: H · W calls of the masked layers a frame.

        What can be spared is: the past is read once a frame, and of the frame only the rows that are begun.

        Args:
            beginning: int64 `(B, T, H, W)`, T at least 1: what is given.
            num_frames: how many to add.
            generator: of the draws.

        Returns:
            The new frames, int64 `(B, num_frames, H, W)`.
        """
        self._check(beginning)
        levels, (_, _, height, width) = self.config.num_levels, beginning.shape
        known = [F.one_hot(frame, levels).to(self.dtype).movedim(-1, 1) for frame in beginning.unbind(1)]
        while len(known) < NUM_PAST:
            known.insert(0, torch.zeros_like(known[0]))
        for _ in range(num_frames):
            past, frame = self.past(torch.cat(known[-NUM_PAST:], dim=1)), torch.zeros_like(known[-1])
            for y in range(height):
                begun = slice(y + 1)  # no masked layer looks at a row below
                for x in range(width):
                    logits = self._read(frame[:, :, begun], past[:, :, begun])[:, :, y, x]
                    shares = logits.float().softmax(dim=1)  # (B, L)
                    drawn = torch.multinomial(shares, 1, generator=generator)[:, 0]
                    frame[:, :, y, x] = F.one_hot(drawn, levels).to(frame)
            known.append(frame)
        return torch.stack(known[-num_frames:], dim=1).argmax(dim=2)

    def _check(self, clips: torch.Tensor) -> None:
        if clips.ndim != 4 or clips.dtype != torch.int64:
            raise ValueError(f"clips are int64 (B, T, H, W), got {clips.dtype} {tuple(clips.shape)}")
        if clips.numel() and not 0 <= clips.min() <= clips.max() < self.config.num_levels:
            raise ValueError(
                f"levels are 0 to {self.config.num_levels - 1}, got {clips.min().item()} to {clips.max().item()}"
            )


def bits(nats: torch.Tensor) -> torch.Tensor:
    """The same in bits: how long the shortest description is, where the model's probabilities are believed."""
    return nats / math.log(2)


def to_levels(clips: torch.Tensor, num_levels: int) -> torch.Tensor:
    """Clips `(B, 1, T, H, W)` in [-1, 1] to int64 levels `(B, T, H, W)`, evenly spaced."""
    return ((clips[:, 0] + 1) / 2 * num_levels).long().clamp(0, num_levels - 1)
