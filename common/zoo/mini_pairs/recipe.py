"""How `mini-pairs` is trained: the arm `layer3-mmdit` of the world of pairs, minutes of one core.

    flipbook train mini-pairs

What it shares with the arms that lab 06.4 compares it with is in `common.zoo.pair_arm`.
"""

from common.zoo.pair_arm import pair_recipe

ARM = "layer3-mmdit"
RECIPE = pair_recipe(ARM, "mini-pairs")
