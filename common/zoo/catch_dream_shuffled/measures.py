"""How far a policy comes that was trained where keys mean nothing: every number of `catch-dream`, on the same games."""

from common.zoo.catch_dream.measures import SETTINGS, measure

__all__ = ["SETTINGS", "measure"]
