"""How `sprites-t2v-shapes` is trained: a LoRA on `sprites-t2v`, with scaled positions, on clips of ten shapes.

    flipbook train sprites-t2v-shapes

Batches are buckets: of one shape each, with about as many tokens. The loss is that of `sprites-t2v`.
"""

from common.diffusion.losses import logit_normal
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.models.shaped_dit import ShapedVideoDiT
from common.show import strips
from common.training import KeyedNoise, Recipe, Settings, Stage
from common.zoo.sprites_t2v import recipe as square
from common.zoo.sprites_t2v.prompts import SHOWN, evaluation_prompts
from common.zoo.sprites_t2v_shapes.clips import UNSEEN, BucketedLatents, shaped_latents

BASE, RANK = "sprites-t2v", 32
NUM_CLIPS = {"ci": 2, "cpu": 400, "gpu": 4000}  # of each shape
MAX_TOKENS = {"ci": 320, "cpu": 1280, "gpu": 10_240}
PER_STEP = 100  # samples that a step counts; a batch has fewer
NUM_ASKED = {"ci": 1, "cpu": 16, "gpu": 64}  # prompts of each shape when it measures


def compute_loss(model, batch, noise):
    """The loss of `sprites-t2v`; the noise is that of the step's first samples, as many as its batch has."""
    first = batch["step"] * PER_STEP
    own = KeyedNoise(noise.seed, range(first, first + len(batch["latents"])), noise.device)
    return square.compute_loss(model, batch, own, logit_normal)


def measure(model, preset):
    """Of a few clips of each unseen shape the part that is all right."""
    pipe, found = square.pipeline(model), {}
    asked = evaluation_prompts("one_object")[: NUM_ASKED[preset]]
    for shape in UNSEEN:
        clips = pipe(asked, None, *shape, num_inference_steps=10, generator=0).frames
        found["x".join(map(str, shape))] = accuracy(asked, read_sprites(clips.cpu()))["all"]
    return found


def sheet(model, preset):
    """A prompt in every unseen shape."""
    pipe, prompt = square.pipeline(model), SHOWN[3]
    clips = {"x".join(map(str, shape)): pipe(prompt, None, *shape, generator=0).frames[0] for shape in UNSEEN}
    return strips(clips)


RECIPE = Recipe(
    name="sprites-t2v-shapes",
    build_model=lambda preset: ShapedVideoDiT.of(BASE, RANK),
    data=lambda preset: BucketedLatents(shaped_latents(NUM_CLIPS[preset]), MAX_TOKENS[preset], PER_STEP),
    compute_loss=compute_loss,
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=2, batch_size=PER_STEP, learning_rate=1e-3, ema_decay=0.9),
                "cpu": Settings(
                    steps=500, batch_size=PER_STEP, learning_rate=1e-3, warmup_steps=20, decay="linear",
                    betas=(0.9, 0.95), ema_decay=0.98, precision="auto", checkpoint_every=50,
                ),
                "gpu": Settings(
                    steps=4000, batch_size=PER_STEP, learning_rate=1e-3, warmup_steps=100, decay="linear",
                    betas=(0.9, 0.95), ema_decay=0.999, precision="auto", checkpoint_every=500,
                ),
            }
        )
    },
    sheet=sheet,
    measure=measure,
)  # fmt: skip
