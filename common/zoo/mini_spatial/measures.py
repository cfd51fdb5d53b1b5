"""How good `mini-spatial` is: see `common.zoo.pattern_measures`."""

from common.zoo.pattern_measures import SETTINGS, measure

__all__ = ["SETTINGS", "measure"]
