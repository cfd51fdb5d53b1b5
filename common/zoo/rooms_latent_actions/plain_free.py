"""A control of `rooms-latent-actions`: 64 free numbers, and an encoder that sees all that changes.

flipbook train common/zoo/rooms_latent_actions/plain_free.py
"""

from dataclasses import replace

from common.models.latent_action import PRESETS, LatentActionModel
from common.zoo.rooms_latent_actions import recipe

RECIPE = replace(
    recipe.RECIPE,
    name="rooms-plain-numbers",
    build_model=lambda preset: LatentActionModel(num_codes=0, code_dim=64, foresight=False, **PRESETS[preset]),
    stages={"main": replace(recipe.RECIPE.stages["main"], start=None)},
)
