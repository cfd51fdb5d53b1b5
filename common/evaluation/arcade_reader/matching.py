"""Template matching: where a character of known pixels lies over a known background, and how opaque it is there.

A pixel that shows a character of opacity a is `(1 - a) background + a character`. At every place the opacity is a least
squares fit, and the place is the one where that fit explains most of what differs from the background.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange

from common.tensor_ops import from_uint8


@dataclass(frozen=True)
class Template:
    """A character.

    Attributes:
        pixels: `(3, h, w)` in [-1, 1].
        mask: bool `(h, w)`: which of them are the character's.
    """

    pixels: torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True)
class Match:
    """The best place of a template in each of N frames.

    Attributes:
        x, y: int64 `(N,)`, the upper left corner.
        opacity: `(N,)`, 1 for a character as it should be, 0 for none.
        likeness: `(N,)`, the part of the difference from the background that it explains there, 0 to 1.
        seen: `(N,)`, the part of the character that is not hidden there.
    """

    x: torch.Tensor
    y: torch.Tensor
    opacity: torch.Tensor
    likeness: torch.Tensor
    seen: torch.Tensor


def find(
    frames: torch.Tensor,
    background: torch.Tensor,
    visible: torch.Tensor,
    template: Template,
    allowed: torch.Tensor,
) -> Match:
    """The place of a template in each frame.

    Args:
        frames: `(N, 3, H, W)`.
        background: `(N, 3, H, W)`, what would be seen without the character.
        visible: `(N, 1, H, W)`, 1 where a pixel counts, 0 where something else hides the character.
        template: the character.
        allowed: bool `(H - h + 1, W - w + 1)`, its possible places.
    """
    shape = template.mask.to(frames)[None]  # (1, h, w)
    pixels = template.pixels.to(frames) * shape  # (3, h, w)
    none, nothing = torch.zeros_like(shape), torch.zeros_like(pixels)
    change = frames - background
    maps = [
        visible * change,
        visible * background,
        visible,
        visible * (change * background).sum(1, keepdim=True),
        visible * background.square().sum(1, keepdim=True),
        visible * change.square().sum(1, keepdim=True),
    ]
    kernels = [  # sums over the character's pixels, at every place
        [pixels, nothing, none, -shape, none, none],  # <change, character - background>
        [nothing, -2 * pixels, pixels.square().sum(0, keepdim=True), none, shape, none],  # |character - background|^2
        [nothing, nothing, none, none, none, shape],  # |change|^2
        [nothing, nothing, shape, none, none, none],
    ]
    sums = F.conv2d(torch.cat(maps, dim=1), torch.stack([torch.cat(kernel) for kernel in kernels]))
    inner, size, energy, area = sums.unbind(dim=1)  # (N, places in y, places in x) each
    size = size.clamp(min=1e-6)
    explained = torch.where(allowed & (inner > 0), inner.square() / size, -1.0)
    best = explained.flatten(1).argmax(dim=1)

    def there(values):
        return values.flatten(1).gather(1, best[:, None])[:, 0]

    return Match(
        x=best % explained.shape[2],
        y=best // explained.shape[2],
        opacity=there(inner / size),
        likeness=(there(explained) / there(energy).clamp(min=1e-6)).clamp(0, 1),
        seen=there(area) / template.mask.sum(),
    )


def hidden_by(match: Match, template: Template, height: int, width: int) -> torch.Tensor:
    """The pixels that a character covers at its place: bool `(N, 1, H, W)`."""
    rows, columns = torch.arange(height)[None, :, None], torch.arange(width)[None, None, :]
    down, right = rows - match.y[:, None, None], columns - match.x[:, None, None]  # (N, H, 1), (N, 1, W)
    h, w = template.mask.shape
    inside = (down >= 0) & (down < h) & (right >= 0) & (right < w)
    return (inside & template.mask[down.clamp(0, h - 1), right.clamp(0, w - 1)])[:, None]


def colors(painting, palette) -> torch.Tensor:
    """Numbers of a palette as colours: `(..., h, w)` to `(..., 3, h, w)`, float32 in [-1, 1]."""
    return rearrange(from_uint8(torch.from_numpy(palette[painting])), "... h w c -> ... c h w")
