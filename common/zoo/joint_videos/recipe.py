"""How `joint-videos` is trained: all weights of `joint-images`, on clips alone, three minutes of one core.

flipbook train joint-videos
"""

from common.zoo.joint_arm import joint_recipe

RECIPE = joint_recipe("videos", start="joint-images")
