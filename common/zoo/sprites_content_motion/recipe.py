"""How `sprites-content-motion` is trained: a VAE with one content code a clip and one motion code a frame.

    flipbook train sprites-content-motion                  stage "main": the VAE, by its ELBO, without a label
    flipbook train sprites-content-motion --stage prior    from there: what motion comes next; the VAE keeps still

Each step looks at a few frames of each clip, drawn at random and in random order: neither kind of code needs more. Both
codes are priced against a standard normal distribution, frame by frame. The recurrent prior comes afterwards and is
fitted to codes that no longer move: in the price it would make a standing code nearly free from the second frame on,
and shape and colour could live in the motion code for the price of a single frame.
"""

from dataclasses import dataclass
from functools import partial

import torch

from common.data.sprites.solo import NUM_FRAMES, SoloSprites
from common.models.content_motion import PRESETS, ContentMotionVAE, negative_elbo, swap_motion
from common.models.motion_prior import mixture_log_prob
from common.show import strips
from common.tensor_ops import from_uint8
from common.training import Recipe, Settings, Stage, muon
from common.zoo.sprites_content_motion.measures import recipe_measures

NUM_DRAWN = 4  # frames of a clip in a step of stage "main"


@dataclass(frozen=True)
class Pixels:
    """Clips of one large sprite that moves, as plain tensors."""

    @property
    def key(self) -> str:
        return SoloSprites().key

    def batch(self, indices) -> torch.Tensor:
        """uint8 `(B, 3, T, H, W)`."""
        return SoloSprites().batch(indices).pixels


def as_clips(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 pixels as floats in [-1, 1]."""
    return from_uint8(pixels)


def drawn_frames(clips: torch.Tensor, noise, num_drawn: int = NUM_DRAWN) -> torch.Tensor:
    """So many frames of each clip, any of them, in any order: `(B, 3, T, H, W)` to `(B, 3, n, H, W)`."""
    order = noise.uniform("frames", clips.shape[2:3]).argsort(dim=1)[:, :num_drawn]  # (B, n)
    return torch.stack([clip[:, chosen] for clip, chosen in zip(clips, order)])


def draw(dist, noise, name):
    """A draw from a distribution of codes, with the sample's own noise."""
    return dist.mean + dist.std * noise.normal(name, dist.mean.shape[1:])


def compute_loss(model, pixels, noise):
    """The negative ELBO of whole clips, estimated from a few frames of each; "loss" in nats a pixel value.

    Args:
        model: a `ContentMotionVAE`.
        pixels: uint8 `(B, 3, T, H, W)`.
        noise: chooses the frames and draws the codes.
    """
    clips = drawn_frames(as_clips(pixels), noise)
    codes = model.encode(clips)
    restored = model.decode(draw(codes.content, noise, "content"), draw(codes.motion, noise, "motion")).sample
    costs = negative_elbo(restored, clips, codes, num_frames=pixels.shape[2])
    means = {name: cost.mean() for name, cost in costs.items()}  # nats a clip
    return {"loss": sum(means.values()) / pixels[0].numel(), **means}


def prior_loss(model, pixels, noise):
    """How improbable the prior finds the motion codes of clips, nats a frame. No gradient reaches the codes.

    The most likely codes, not draws: what is drawn anew in every frame is no motion, and would make paths tremble.
    """
    with torch.no_grad():
        motion = model.encode(as_clips(pixels)).motion.mode()
    return {"loss": -mixture_log_prob(model.prior(motion), motion).mean()}


def sheet(model, preset):
    """Two clips, and each with the motion of the other."""
    first, second = as_clips(SoloSprites("test").batch([1, 7]).pixels).split(1)
    rows = {"one": first, "the other": second, "one, moving as the other": swap_motion(model, first, second),
            "the other, moving as one": swap_motion(model, second, first)}  # fmt: skip
    return strips({name: clip[0] for name, clip in rows.items()}, num_frames=NUM_FRAMES, width=96)


# What touches pixels, places and codes: Adam.
ENDS = ("encoder.layers.0", "heads", "pose", "code_in", "picture_out", "prior")
COMMON = {"learning_rate": 5e-3, "betas": (0.9, 0.95), "weight_decay": 0.01, "precision": "fp32"}
RECIPE = Recipe(
    name="sprites-content-motion",
    build_model=lambda preset: ContentMotionVAE(**PRESETS[preset]),
    data=lambda preset: Pixels(),
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=60, batch_size=8, warmup_steps=10, ema_decay=0.9, **COMMON),
                "cpu": Settings(
                    steps=4000,
                    batch_size=16,
                    warmup_steps=100,
                    decay="linear",
                    decay_from=0.4,
                    ema_decay=0.998,
                    measure_every=500,
                    sheet_every=1000,
                    checkpoint_every=100,
                    **COMMON,
                ),
                "gpu": Settings(
                    steps=20_000,
                    batch_size=128,
                    warmup_steps=200,
                    decay="linear",
                    decay_from=0.4,
                    measure_every=2000,
                    sheet_every=2000,
                    checkpoint_every=500,
                    **COMMON,
                ),
            }
        ),
        "prior": Stage(
            {
                "ci": Settings(steps=60, batch_size=16, first_sample=10**6, ema_decay=0.9, **COMMON),
                "cpu": Settings(
                    steps=3000,
                    batch_size=32,
                    warmup_steps=50,
                    decay="linear",
                    decay_from=0.4,
                    first_sample=10**6,
                    ema_decay=0.99,
                    checkpoint_every=200,
                    **COMMON,
                ),
                "gpu": Settings(
                    steps=4000, batch_size=128, warmup_steps=50, first_sample=10**7, ema_decay=0.99, **COMMON
                ),
            },
            start="main",
            compute_loss=prior_loss,
        ),
    },
    sheet=sheet,
    measure=recipe_measures,
)
