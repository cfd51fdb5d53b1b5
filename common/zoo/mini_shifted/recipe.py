"""How `mini-shifted` is trained: the arm with shifted-window attention of lab 04.5, a third of a minute of one core.

    flipbook train mini-shifted

What it shares with the arms that it is compared with is in `common.zoo.pattern_arm`.
"""

from common.zoo.pattern_arm import pattern_recipe

RECIPE = pattern_recipe("shifted", "mini-shifted")
