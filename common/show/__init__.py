"""Clips as things to look at: sheets, comparisons and small players. All static, all show themselves in Jupyter."""

from common.show.picture import Picture
from common.show.player import Player, player
from common.show.sheets import Difference, compare, contact_sheet, difference, side_by_side

__all__ = ["Difference", "Picture", "Player", "compare", "contact_sheet", "difference", "player", "side_by_side"]
