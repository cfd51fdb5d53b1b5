"""What the last stage of `sprites-fsq` looks at: the same clips, and where in them the objects are.

An object covers about a tenth of a clip's pixels. The few levels per place are spent where most pixels are, on the
background, and what is lost are the corners that tell one shape from another. This stage counts errors there more.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from common.data.film import FilmData
from common.data.sprites import SpriteData

OBJECT_WEIGHT = 15.0  # of a squared error on an object or at its edge; elsewhere it is 1


@dataclass(frozen=True)
class ClipsAndObjects:
    """The clips of `SpritesAndFilm`, with a fourth channel: 255 where a pixel shows an object, in film 0."""

    num_frames: int
    size: int

    @property
    def key(self) -> str:
        return f"sprites and film 7:1, with objects, {self.num_frames}x{self.size}"

    def batch(self, indices) -> torch.Tensor:
        """uint8 `(B, 4, T, H, W)`."""
        return torch.stack([self._clip(i) for i in map(int, indices)])

    def _clip(self, index: int) -> torch.Tensor:
        if index % 8 == 7:
            return F.pad(FilmData("train", self.num_frames, self.size).clip(index), (0, 0, 0, 0, 0, 0, 0, 1))
        sprites = SpriteData(num_frames=self.num_frames, size=self.size)
        masks = sprites.truth([index]).masks[0].amax(dim=0)  # (T, H, W) in [0, 1]
        return torch.cat([sprites.batch([index]).pixels[0], (255 * (masks > 0))[None].to(torch.uint8)])


def importance(pixels: torch.Tensor, weight: float = OBJECT_WEIGHT) -> torch.Tensor:
    """How much a squared error counts at each place: `(B, 1, T, H, W)`, 1 where no object is near.

    Args:
        pixels: as `ClipsAndObjects` gives them.
        weight: on an object and one pixel around it, besides the 1 that counts everywhere.
    """
    masks = (pixels[:, 3] > 0).float()  # (B, T, H, W)
    return 1 + weight * F.max_pool2d(masks, 3, stride=1, padding=1)[:, None]
