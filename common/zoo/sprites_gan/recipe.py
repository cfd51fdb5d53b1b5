"""How `sprites-gan` is trained: two discriminators, hinge loss and the gradient penalty.

    flipbook train sprites-gan

Its world is the corner of the sprites' world in `ModeData`: one object, 40 modes.
"""

from functools import partial

import torch

from common.data.sprites.modes import ModeData
from common.models.video_gan import PRESETS, VideoGAN
from common.show import strips
from common.tensor_ops import from_uint8
from common.training import AdversarialRecipe, Settings, Stage, adversarial_step
from common.zoo.sprites_gan.measures import clip_measures

PENALTY = 0.3  # weight of the gradient penalty
NUM_FRAMES = 3  # of each clip that the image discriminator sees
NUM_MEASURED = {"ci": 24, "cpu": 96, "gpu": 192}  # clips


def data(preset: str) -> ModeData:
    """The world at a preset's size."""
    return ModeData(PRESETS[preset]["num_frames"], PRESETS[preset]["size"])


def step(model, optimizers, pixels, noise):
    """One step of both players.

    Args:
        model: a `VideoGAN`.
        optimizers: of its generator and of its discriminators.
        pixels: uint8 `(B, 3, T, H, W)`.
        noise: of the latents, and of which frames the image discriminator sees.
    """
    clips = from_uint8(pixels)
    size = (model.config.latent_dim,)
    latents = torch.stack([noise.normal(f"latents for the {player}", size) for player in ("judge", "maker")])
    judge = partial(model.discriminators, frames=noise.integers("frames", model.config.num_frames, (NUM_FRAMES,)))
    return adversarial_step(model.generator, judge, optimizers, clips, latents, penalty_weight=PENALTY)


def adam(model, settings):
    """Adam without weight decay, which is what the players of a GAN use."""
    return torch.optim.Adam(model.parameters(), lr=settings.learning_rate, betas=settings.betas)


def measure(model, preset):
    """Modes and motion of a few clips."""
    world = data(preset)
    clips = model.sample(NUM_MEASURED[preset], torch.Generator().manual_seed(7)).cpu()
    return clip_measures(clips, [world.mode(i) for i in range(480)])


def sheet(model, preset):
    """Eight clips, from the same latents every time."""
    clips = model.sample(8, torch.Generator().manual_seed(7))
    return strips({f"clip {k}": clip for k, clip in enumerate(clips)})


COMMON = {"batch_size": 16, "betas": (0.0, 0.99), "decay": "linear", "decay_from": 0.5, "max_grad_norm": 0.0}
RECIPE = AdversarialRecipe(
    name="sprites-gan",
    build_model=lambda preset: VideoGAN(**PRESETS[preset], normalized=False),
    data=data,
    step=step,
    optimizer=adam,
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=30, learning_rate=2e-3, ema_decay=0.9, **COMMON),
                "cpu": Settings(
                    steps=4000,
                    learning_rate=1.5e-3,
                    ema_decay=0.995,
                    measure_every=500,
                    sheet_every=1000,
                    checkpoint_every=250,
                    **COMMON,
                ),
                "gpu": Settings(
                    steps=60_000,
                    learning_rate=5e-4,
                    ema_decay=0.999,
                    measure_every=2000,
                    sheet_every=2000,
                    checkpoint_every=1000,
                    **COMMON | {"batch_size": 64},
                ),
            }
        ),
        # From the running mean of `main`: rare modes come late.
        "longer": Stage(
            {
                "ci": Settings(steps=20, learning_rate=1.5e-3, ema_decay=0.9, first_sample=10**6, **COMMON),
                "cpu": Settings(
                    steps=5000,
                    learning_rate=1.5e-3,
                    warmup_steps=100,
                    ema_decay=0.998,
                    first_sample=10**6,
                    measure_every=500,
                    sheet_every=1000,
                    checkpoint_every=250,
                    **COMMON,
                ),
            },
            start="main",
        ),
    },
    sheet=sheet,
    measure=measure,
)
