"""What the last stage of `sprites-fsq` looks at: the same clips, and where in them the objects are.

An object covers about a tenth of a clip's pixels. The few levels per place are spent where most pixels are, on the
background, and what is lost are the corners that tell one shape from another. This stage counts errors there more.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from common.data.sprites import SpriteData
from common.zoo.sprites_vae.recipe import SpritesAndFilm, is_film

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
        numbers = [int(i) for i in indices]
        pixels = SpritesAndFilm(self.num_frames, self.size).batch(numbers)
        sprites = SpriteData(num_frames=self.num_frames, size=self.size)
        masks = torch.zeros_like(pixels[:, :1])  # of film there are none
        for mask, number in zip(masks, numbers):
            if not is_film(number):
                mask[0] = 255 * (sprites.truth([number]).masks[0].amax(dim=0) > 0)
        return torch.cat([pixels, masks], dim=1)


def importance(pixels: torch.Tensor, weight: float = OBJECT_WEIGHT) -> torch.Tensor:
    """How much a squared error counts at each place: `(B, 1, T, H, W)`, 1 where no object is near.

    Args:
        pixels: as `ClipsAndObjects` gives them.
        weight: on an object and one pixel around it, besides the 1 that counts everywhere.
    """
    masks = (pixels[:, 3] > 0).float()  # (B, T, H, W)
    return 1 + weight * F.max_pool2d(masks, 3, stride=1, padding=1)[:, None]
