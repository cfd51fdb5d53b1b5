"""The `mini` world: one object on a plain field, small enough that a 1.5 M transformer learns it in 20 minutes."""

from common.data.mini.latents import MiniLatents, MiniPixels
from common.data.mini.world import COLORS, FIELDS, HELD_OUT, MOTIONS, SIZES, MiniSprites, combinations

__all__ = ["COLORS", "FIELDS", "HELD_OUT", "MOTIONS", "SIZES", "MiniLatents", "MiniPixels", "MiniSprites",
           "combinations"]  # fmt: skip
