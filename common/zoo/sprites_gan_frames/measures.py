"""How good `sprites-gan-frames` is, by the measures of `sprites-gan`."""

from common.zoo.sprites_gan.measures import SETTINGS, measure

__all__ = ["SETTINGS", "measure"]
