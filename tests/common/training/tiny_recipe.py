"""A recipe that trains in seconds: two convolutions that take noise off small sprites.

Under the preset `cpu` the model has dropout besides, which draws from torch's own generator.
"""

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from PIL import Image

from common.data.sprites import SpriteData
from common.training import Recipe, Settings, Stage


class Tiny(ModelMixin, ConfigMixin):
    """Two convolutions over `(B, 3, T, H, W)`."""

    @register_to_config
    def __init__(self, width: int = 8, dropout: float = 0.0):
        super().__init__()
        self.up = torch.nn.Conv3d(3, width, 3, padding=1)
        self.down = torch.nn.Conv3d(width, 3, 3, padding=1)
        self.drop = torch.nn.Dropout(dropout)

    def forward(self, clips):
        return self.down(self.drop(torch.nn.functional.silu(self.up(clips))))


class SmallSprites:
    """Sprites of 5 frames, 16x16."""

    key = "sprites 5x16x16, seed 0"

    def __init__(self):
        self.sprites = SpriteData(num_frames=5, size=16)

    def batch(self, indices):
        return self.sprites.batch(indices).pixels  # uint8 (B, 3, T, H, W)


def compute_loss(model, pixels, noise):
    clips = pixels.float() / 127.5 - 1
    eps = noise.normal("eps", clips.shape[1:])
    amount = noise.uniform("amount", (1, 1, 1, 1))
    error = (model(clips + amount * eps) - clips).float()
    return {"loss": error.square().mean(), "bias": error.mean()}


def sheet(model, preset):
    return Image.fromarray((model.up.weight[:, :, 1, 1, 1].detach().numpy() * 100 + 128).clip(0, 255).astype("uint8"))


def measure(model, preset):
    return {"spread": float(model.up.weight.std())}


EVERY = {"checkpoint_every": 4, "log_every": 3}
MAIN = {"batch_size": 8, "learning_rate": 3e-3, "warmup_steps": 2, "ema_decay": 0.9, **EVERY}
RECIPE = Recipe(
    name="tiny",
    build_model=lambda preset: Tiny(dropout=0.1 if preset == "cpu" else 0.0),
    data=lambda preset: SmallSprites(),
    compute_loss=compute_loss,
    stages={
        "main": Stage({preset: Settings(steps=14, **MAIN) for preset in ("ci", "cpu")}),
        "longer": Stage({"ci": Settings(steps=4, first_sample=1000, **MAIN)}, start="main"),
    },
    sheet=sheet,
    measure=measure,
)
