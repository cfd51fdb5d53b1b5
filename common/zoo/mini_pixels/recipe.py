"""How `mini-pixels` is trained: the arm of the `mini` world that gets patches of pixels in place of latents.

flipbook train mini-pixels                                       by steps
python benchmarks/mini_arm.py --arm pixels --seeds 0             by core-seconds: the weights that ship
"""

from common.zoo.mini_arm import ARMS, arm_recipe

RECIPE = arm_recipe("mini-pixels", **ARMS["pixels"])
