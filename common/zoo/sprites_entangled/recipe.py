"""How `sprites-entangled` is trained: as `sprites-content-motion`, but with one code per frame that nothing splits.

    flipbook train sprites-entangled

Encoder, decoder, data, steps and the price of a bit are the same. It is there to be compared with.
"""

from functools import partial

from common.models.content_motion import PRESETS, ContentMotion, EntangledVAE, negative_elbo
from common.models.gaussian import DiagonalGaussian
from common.training import Recipe, Stage, muon
from common.zoo.sprites_content_motion.recipe import RECIPE as SPLIT
from common.zoo.sprites_content_motion.recipe import Pixels, as_clips, draw, drawn_frames
from common.zoo.sprites_entangled.measures import recipe_measures


def compute_loss(model, pixels, noise):
    """The negative ELBO of whole clips, estimated from a few frames of each; "loss" in nats a pixel value.

    All of a frame's code is paid for in that frame, as a motion code is; there is no content code, so it costs nothing.
    """
    clips = drawn_frames(as_clips(pixels), noise)
    codes = model.encode(clips)
    restored = model.decode(draw(codes, noise, "codes")).sample
    nothing = DiagonalGaussian(codes.mean.new_zeros(len(clips), 2))
    costs = negative_elbo(restored, clips, ContentMotion(nothing, codes), num_frames=pixels.shape[2])
    means = {name: cost.mean() for name, cost in costs.items()}
    return {"loss": sum(means.values()) / pixels[0].numel(), **means}


RECIPE = Recipe(
    name="sprites-entangled",
    build_model=lambda preset: EntangledVAE(**PRESETS[preset]),
    data=lambda preset: Pixels(),
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=("encoder.layers.0", "head", "pose", "code_in", "picture_out")),
    stages={"main": Stage(SPLIT.stages["main"].settings)},
    measure=recipe_measures,
)
