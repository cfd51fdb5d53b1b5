"""The control of lab 06.5: the training run of `sprites-t2v-shapes` with places as they are, not scaled.

python -m common.zoo.sprites_t2v_shapes.control FOLDER
"""

import sys
from dataclasses import replace

from common.models.shaped_dit import ShapedVideoDiT
from common.training import train
from common.zoo.sprites_t2v_shapes.recipe import BASE, RANK, RECIPE

CONTROL = replace(
    RECIPE,
    name="sprites-t2v-shapes-control",
    build_model=lambda preset: ShapedVideoDiT.of(BASE, RANK, scaled=False),
)

if __name__ == "__main__":
    train(CONTROL, "cpu", folder=sys.argv[1])
