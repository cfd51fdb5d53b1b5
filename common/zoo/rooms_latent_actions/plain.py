"""A control of `rooms-latent-actions`: 8 codes, and an encoder that sees all that changes.

flipbook train common/zoo/rooms_latent_actions/plain.py
"""

from dataclasses import replace

from common.models.latent_action import PRESETS, LatentActionModel
from common.zoo.rooms_latent_actions import recipe

RECIPE = replace(
    recipe.RECIPE,
    name="rooms-plain-codes",
    build_model=lambda preset: LatentActionModel(foresight=False, **PRESETS[preset]),
    stages={"main": replace(recipe.RECIPE.stages["main"], start=None)},
)
