"""How `sprites-gan-frames` is trained: as `sprites-gan` in everything, without the video discriminator.

    flipbook train sprites-gan-frames

What comes out is a negative control: its frames are pictures, and what happens between them is nonsense.
"""

from dataclasses import replace

from common.models.video_gan import PRESETS, VideoGAN
from common.zoo.sprites_gan import recipe

RECIPE = replace(
    recipe.RECIPE,
    name="sprites-gan-frames",
    build_model=lambda preset: VideoGAN(**PRESETS[preset], branches=["image"], normalized=False),
)
