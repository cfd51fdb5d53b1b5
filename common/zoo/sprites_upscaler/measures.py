"""How good `sprites-upscaler` is: see `common.zoo.upscaler_measures`."""

from common.zoo.upscaler_measures import SETTINGS, measure

__all__ = ["SETTINGS", "measure"]
