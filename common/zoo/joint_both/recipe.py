"""How `joint-both` is trained: all weights of `joint-images`, three sequences in four clips, the other one pictures.

flipbook train joint-both
"""

from common.zoo.joint_arm import joint_recipe

RECIPE = joint_recipe("both", start="joint-images")
