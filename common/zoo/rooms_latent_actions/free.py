"""The control of `rooms-latent-actions`: the same model, data and steps, with 64 free numbers in place of 8 codes.

flipbook train common/zoo/rooms_latent_actions/free.py
"""

from dataclasses import replace

from common.models.latent_action import PRESETS, LatentActionModel
from common.zoo.rooms_latent_actions import recipe

NUMBERS = 64
RECIPE = replace(
    recipe.RECIPE,
    name="rooms-free-numbers",
    build_model=lambda preset: LatentActionModel(num_codes=0, code_dim=NUMBERS, **PRESETS[preset]),
)
