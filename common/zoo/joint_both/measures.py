"""How good `joint-both` is: see `common.zoo.joint_measures`."""

from common.zoo.joint_measures import SETTINGS, measure

__all__ = ["SETTINGS", "measure"]
