"""Clips as things to look at: sheets, comparisons and small players. All static, all show themselves in Jupyter."""

from common.show.differences import Difference, compare, difference
from common.show.flow_wheel import color_wheel, flow_to_color
from common.show.picture import Picture
from common.show.player import Player, player
from common.show.sheets import contact_sheet, side_by_side, strips

__all__ = ["Difference", "Picture", "Player", "color_wheel", "compare", "contact_sheet", "difference", "flow_to_color",
           "player", "side_by_side", "strips"]  # fmt: skip
