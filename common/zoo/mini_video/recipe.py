"""How `mini-video` is trained: the default arm of the `mini` world, on latents of `sprites-vae`.

flipbook train mini-video                                        by steps
python benchmarks/mini_arm.py --arm video --seeds 0              by core-seconds: the weights that ship
"""

from common.zoo.mini_arm import ARMS, arm_recipe

RECIPE = arm_recipe("mini-video", **ARMS["video"])
