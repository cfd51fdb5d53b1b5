"""How `mini-windows` is trained: the arm with windowed attention of lab 04.5, a third of a minute of one core.

    flipbook train mini-windows

What it shares with the arms that it is compared with is in `common.zoo.pattern_arm`.
"""

from common.zoo.pattern_arm import pattern_recipe

RECIPE = pattern_recipe("windows", "mini-windows")
