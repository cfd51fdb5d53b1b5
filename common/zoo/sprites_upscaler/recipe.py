"""How `sprites-upscaler` is trained: flow matching on large latents, given the small ones with noise on them.

    flipbook train sprites-upscaler

What it shares with the arms that it is compared with is in `common.zoo.upscaler_arm`.
"""

from common.zoo.upscaler_arm import upscaler_recipe

RECIPE = upscaler_recipe("augmented", "sprites-upscaler")
