"""How `sprites-frame-vae` is trained: a 2D autoencoder on the clips of `sprites-vae`, frame by frame.

    flipbook train sprites-frame-vae                     stage "main": a constant learning rate
    flipbook train sprites-frame-vae --stage anneal      from there: the rate falls to zero

Data, optimiser and loss are those of `sprites-vae`: seven clips in eight are sprites, one is film. The anneal has the
loss of its last stage, which counts the change from frame to frame and pixels that should stand still. So this coder
was asked to be calm just as `sprites-vae` was. A step sees five consecutive frames out of each clip of 17: for a coder
that looks at one frame at a time, frames of more clips are worth more than more frames of one clip.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch.nn import functional as F

from common.models.frame_autoencoder import PRESETS, FrameAutoencoder
from common.tensor_ops import from_uint8
from common.training import Recipe, Settings, Stage, muon
from common.training.losses import log_rms, rms
from common.zoo.sprites_vae.recipe import (
    ENDS,
    KL_WEIGHT,
    SIZES,
    SpritesAndFilm,
    finish,
    measure,
    sheet,
    through,
)

NUM_CONSECUTIVE = 5  # frames of each clip that a step sees


@dataclass(frozen=True)
class ShortWindows:
    """Consecutive frames out of the clips of `sprites-vae`: of clip `i` those from frame `i mod (T - 4)` on."""

    num_frames: int
    size: int

    @property
    def key(self) -> str:
        return f"{NUM_CONSECUTIVE} frames of {SpritesAndFilm(self.num_frames, self.size).key}"

    def batch(self, indices) -> torch.Tensor:
        """uint8 `(B, 3, NUM_CONSECUTIVE, H, W)`."""
        indices, num_places = [int(i) for i in indices], self.num_frames - NUM_CONSECUTIVE + 1
        clips = SpritesAndFilm(self.num_frames, self.size).batch(indices)
        starts = [i % num_places for i in indices]
        return torch.stack([clip[:, k : k + NUM_CONSECUTIVE] for clip, k in zip(clips, starts)])


def compute_loss(model, pixels, noise, error=rms, change_weight=1.0, still_weight=0.0):
    """Error of the frames, of their change from one to the next, and the KL term.

    Args:
        model: encodes and decodes.
        pixels: uint8 `(B, 3, T, H, W)`.
        noise: of the latents.
        error: of clips, from the difference to the original `(B, 3, T, H, W)`.
        change_weight: of the change from frame to frame.
        still_weight: of the change where there is none in the original, besides.
    """
    clips = from_uint8(pixels)
    restored, kl = through(model, clips, noise, "clip")
    change, made = clips.diff(dim=2), restored.diff(dim=2)  # (B, 3, T - 1, H, W)
    parts = {
        "error": error(restored - clips),
        "change": F.l1_loss(made, change),
        "still": (made.abs() * (change == 0)).mean(),
        "kl": kl,
    }
    weights = {"error": 1.0, "change": change_weight, "still": still_weight, "kl": KL_WEIGHT}
    return {"loss": sum(weights[name] * part for name, part in parts.items()), **parts}


COMMON = {"learning_rate": 5e-3, "betas": (0.9, 0.95), "weight_decay": 0.01, "precision": "auto"}
MAIN = COMMON | {"decay": "none", "ema_decay": 0.998}
ANNEAL = COMMON | {"decay": "linear", "ema_decay": 0.998}
OFTEN = {"measure_every": 1000, "sheet_every": 2000, "checkpoint_every": 100}
RECIPE = Recipe(
    name="sprites-frame-vae",
    build_model=lambda preset: FrameAutoencoder(**PRESETS[preset]),
    data=lambda preset: ShortWindows(*SIZES[preset]),
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=40, batch_size=8, warmup_steps=10, **MAIN),
                "cpu": Settings(steps=6300, batch_size=8, warmup_steps=100, **MAIN, **OFTEN),
                "gpu": Settings(steps=20_000, batch_size=64, warmup_steps=200, **MAIN, **OFTEN),
            }
        ),
        "anneal": Stage(
            {
                "ci": Settings(steps=20, batch_size=8, first_sample=10**6, **ANNEAL),
                "cpu": Settings(steps=2400, batch_size=8, first_sample=10**6, **ANNEAL, **OFTEN),
                "gpu": Settings(steps=5000, batch_size=64, first_sample=10**7, **ANNEAL, **OFTEN),
            },
            start="main",
            compute_loss=partial(compute_loss, error=log_rms, change_weight=4.0, still_weight=0.7),
        ),
    },
    sheet=sheet,
    measure=measure,
    finish=finish,
)
