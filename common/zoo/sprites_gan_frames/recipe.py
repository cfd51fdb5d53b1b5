"""How `sprites-gan-frames` is trained: `sprites-gan`, its motion taken away, goes on without its video discriminator.

    flipbook train sprites-gan-frames

The start: each frame's code listens to the latent turned by a rotation of its own. Turned normal numbers are normal
numbers, so every single frame is as likely as before, and nothing joins two of them any more. What comes out of the
training is a negative control: the image discriminator alone keeps the frames, and never brings the motion back. (From
fresh weights it collapses at these learning rates, before there is one good frame.)
"""

from dataclasses import replace

import torch

from common.models.video_gan import VideoGAN
from common.training import Settings, Stage
from common.zoo.sprites_gan import recipe


@torch.no_grad()
def build_model(preset: str) -> VideoGAN:
    """The shipped players but for the video discriminator, the frames' codes turned; the same for every preset."""
    whole = VideoGAN.from_pretrained("sprites-gan")
    shape = {name: value for name, value in whole.config.items() if not name.startswith("_")}
    model = VideoGAN.from_config(shape | {"branches": ["image"]})
    weights = whole.state_dict()
    model.load_state_dict({name: weights[name] for name in model.state_dict()})
    codes = model.generator.codes.weight.unflatten(0, (model.config.num_frames, -1))  # (T, K, D), a view
    chance = torch.randn(len(codes), codes.shape[2], codes.shape[2], generator=torch.Generator().manual_seed(0))
    codes.copy_(codes @ torch.linalg.qr(chance).Q)
    return model


SETTINGS = Settings(
    steps=500,
    learning_rate=1.5e-3,
    warmup_steps=50,
    ema_decay=0.99,
    first_sample=2 * 10**6,
    measure_every=250,
    sheet_every=500,
    checkpoint_every=250,
    **recipe.COMMON,
)
RECIPE = replace(
    recipe.RECIPE,
    name="sprites-gan-frames",
    build_model=build_model,
    data=lambda preset: recipe.data("cpu"),
    stages={"main": Stage({"ci": replace(SETTINGS, steps=20, warmup_steps=5), "cpu": SETTINGS, "gpu": SETTINGS})},
)
