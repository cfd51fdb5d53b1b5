"""How `sprites-vae-minute` is trained: the run of lab 05.2, as far as it is after about a minute of one core.

    flipbook train sprites-vae-minute                     stage "main": the first minute, which ships
    flipbook train sprites-vae-minute --stage long        the whole run of twenty minutes, from the beginning
    flipbook train sprites-vae-minute --stage settle      from the shipped weights, seconds: the rate falls to zero

The two have the same first steps: the learning rate of the long run stays constant until three fifths of its steps are
done. Model, data and optimizer are those of `sprites-vae`. The step is `train_step`: one error and the KL term, without
images and without the terms for the change from frame to frame.

What "main" exports are the weights of its last step, not a running mean of them: the state in which a run goes on.
"""

from functools import partial

import torch

from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.tensor_ops import from_uint8
from common.training import Settings, Stage, SteppedRecipe, muon, vae
from common.zoo.sprites_vae.recipe import COMMON, ENDS, SIZES, SpritesAndFilm, finish, sheet
from common.zoo.sprites_vae_minute.measures import mean_psnr, moving_clips

NUM_MEASURED = {"ci": 4, "cpu": 32, "gpu": 32}  # clips in which something moves


def step(model, optimizer, pixels, noise, train_step=None):
    """One step by `train_step`; the draw of its latents belongs to the number of its first sample.

    Args:
        model: encodes and decodes.
        optimizer: of its weights.
        pixels: uint8 `(B, 3, T, H, W)`.
        noise: says which samples these are.
        train_step: the step itself; None for the library's, or the learner's where it has taken its place.
    """
    clips = from_uint8(pixels)
    return (train_step or vae.train_step)(model, optimizer, clips, torch.Generator().manual_seed(int(noise.indices[0])))


def measure(model, preset):
    """PSNR on held-out clips in which something moves, in dB."""
    return {"psnr": mean_psnr(model, moving_clips(NUM_MEASURED[preset], *SIZES[preset]).to(model.device))}


SHARED = COMMON | {"learning_rate": 5e-3, "warmup_steps": 20, "log_every": 5, "checkpoint_every": 40}
SETTLE = {"learning_rate": 1.5e-3, "warmup_steps": 2, "ema_decay": 0.9}
RECIPE = SteppedRecipe(
    name="sprites-vae-minute",
    build_model=lambda preset: CausalVideoVAE(**PRESETS[preset]),
    data=lambda preset: SpritesAndFilm(*SIZES[preset]),
    step=step,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=30, decay="none", **SHARED),
                "cpu": Settings(steps=120, decay="none", measure_every=20, **SHARED | {"ema_decay": 0.0}),
            }
        ),
        "settle": Stage(
            {
                size: Settings(steps=10, decay="linear", first_sample=10**6, **SHARED | SETTLE)
                for size in ("ci", "cpu", "gpu")
            },
            start="sprites-vae-minute",
        ),
        "long": Stage(
            {
                "ci": Settings(steps=30, decay="linear", decay_from=0.6, **SHARED),
                "cpu": Settings(steps=2400, decay="linear", decay_from=0.6, measure_every=120, **SHARED),
                "gpu": Settings(steps=2400, decay="linear", decay_from=0.6, measure_every=120, **SHARED),
            }
        ),
    },
    sheet=sheet,
    measure=measure,
    finish=finish,
)
