"""A control of `rooms-latent-actions`: the same data and steps, with 64 free numbers in place of 8 codes.

flipbook train common/zoo/rooms_latent_actions/free.py --stage past      and then without --stage
"""

from dataclasses import replace

from common.models.latent_action import PRESETS, LatentActionModel
from common.zoo.rooms_latent_actions import recipe

RECIPE = replace(
    recipe.RECIPE,
    name="rooms-free-numbers",
    build_model=lambda preset: LatentActionModel(num_codes=0, code_dim=64, **PRESETS[preset]),
)
