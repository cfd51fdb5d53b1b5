"""How `joint-images` is trained: the base of lab 04.2, pictures alone, two minutes of one core.

flipbook train joint-images
"""

from common.zoo.joint_arm import joint_recipe

RECIPE = joint_recipe("images")
