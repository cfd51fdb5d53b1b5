"""Super-resolution in latents: what `sprites-upscaler` is trained on, how, and the arms that it is compared with.

    recipe = upscaler_recipe("augmented")            flipbook train sprites-upscaler

A sample is one scene drawn at two sizes. The small clip, 64 pixels, goes through `sprites-vae`, is enlarged to 128, and
is coded again: the condition. The large clip is coded as it was drawn: the answer. Both are `(16, 5, 16, 16)`. Stage
"main" trains on windows of two latent frames and clean conditions, and all arms share it. In stage "whole", on whole
clips, the arms part: each has a loss of its own, and the same clips, noise and steps as the others.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import torch

from common.data.sprites import SpriteData
from common.diffusion.losses import logit_normal
from common.diffusion.paths import add_noise, flow_level, flow_target
from common.diffusion.super_resolution import Preconditioned, augment_condition, upsample_condition
from common.models.autoencoder import CausalVideoVAE
from common.models.super_resolution import PRESETS, SuperResolutionDiT
from common.pipelines.latent_upscale import code_enlarged
from common.training import Recipe, Settings, Stage, muon
from common.zoo.captioned import CaptionedLatents, captioned_latents
from common.zoo.sprites_t2v.latents import encode_clip

NUM_FRAMES, SMALL, LARGE = 17, 64, 128
NUM_CLIPS = {"ci": 8, "cpu": 256, "gpu": 20_000}
NUM_FURTHER = {"ci": 8, "cpu": 1024, "gpu": 20_000}  # of stages "further" and "longest"
WINDOW = 2  # latent frames of a sample of the first stage
MOST_NOISE = 0.5  # the condition's noise level is drawn from 0 to this
STATISTICS = Path(__file__).parent / "sprites_upscaler" / "statistics.json"
MEASURED_CLIPS = 128  # for the statistics


@lru_cache
def statistics() -> dict[str, list[float]]:
    """Mean and standard deviation per channel of the enlarged and of the large latents, in the autoencoder's units."""
    return json.loads(STATISTICS.read_text(encoding="utf-8"))


def enlarge_clip(vae: CausalVideoVAE, batch) -> torch.Tensor:
    """Latents of a batch of small clips that went through the autoencoder, were enlarged, and are coded again."""
    small = vae.normalize(encode_clip(vae, batch))
    return vae.denormalize(code_enlarged(vae, small))


def scenes_as_latents(size: int, encode: Callable, num_clips: int, name: str) -> CaptionedLatents:
    """The first clips of the training split at one size, as latents on the disk, coded the first time."""
    source = SpriteData(num_frames=NUM_FRAMES, size=size)
    return captioned_latents(source, encode, num_clips, f"sprites-{NUM_FRAMES}x{name}", lambda texts: {})


@dataclass(frozen=True)
class Pairs:
    """Samples by number: one scene as small and as large latents.

    Attributes:
        small, large: latents of the same scenes at two sizes.
        window: latent frames of a sample: so many in a row, from a place that the number says; None for all.
    """

    small: CaptionedLatents
    large: CaptionedLatents
    window: int | None = None

    @property
    def key(self) -> str:
        return f"{self.small.key} / {self.large.key}, window {self.window}"

    def batch(self, indices) -> dict[str, torch.Tensor]:
        """`condition` and `latents`, both normalised per channel: `(B, 16, 5 or window, 16, 16)`."""
        known, indices = statistics(), [int(index) for index in indices]
        small, large = (self._cut(data.batch(indices)["latents"], indices) for data in (self.small, self.large))
        condition = upsample_condition(small, known["condition_mean"], known["condition_std"], 1)
        mean, std = (torch.tensor(known[f"sample_{name}"])[:, None, None, None] for name in ("mean", "std"))
        return {"condition": condition, "latents": (large - mean) / std}

    def _cut(self, latents: torch.Tensor, indices: list[int]) -> torch.Tensor:
        """The window of each sample: in each round through the clips another one."""
        if self.window is None:
            return latents
        num_places, num_clips = latents.shape[2] - self.window + 1, self.small.latents.num_samples
        starts = [(index + index // num_clips) % num_places for index in indices]
        return torch.stack([clip[:, start : start + self.window] for clip, start in zip(latents, starts)])


def pairs(num_clips: int, window: int | None = None) -> Pairs:
    """The first training scenes at both sizes; drawn and coded the first time, a quarter of a second per scene."""
    sides = (SMALL, enlarge_clip, num_clips, f"{SMALL}-enlarged"), (LARGE, encode_clip, num_clips, str(LARGE))
    return Pairs(*(scenes_as_latents(*side) for side in sides), window)


def measure_statistics(num_clips: int = MEASURED_CLIPS) -> dict[str, list[float]]:
    """What `statistics.json` holds, over the first training scenes."""
    data, found = pairs(num_clips), {}
    small, large = (side.batch(range(num_clips))["latents"] for side in (data.small, data.large))
    for name, latents in (("condition", small), ("sample", large)):
        found[f"{name}_mean"] = [round(value, 4) for value in latents.mean(dim=(0, 2, 3, 4)).tolist()]
        found[f"{name}_std"] = [round(value, 4) for value in latents.std(dim=(0, 2, 3, 4)).tolist()]
    return found


def diffusion_loss(model, batch, noise, most_noise: float = MOST_NOISE):
    """Flow matching with conditioning augmentation. Every noise level counts the same, as in EDM.

    Args:
        model: predicts corrections, as in `Preconditioned`.
        batch: as `Pairs` gives it.
        noise: of the levels, the latents and the condition.
        most_noise: the condition's noise level is drawn evenly from 0 to this; 0 for no augmentation.
    """
    x0, condition = batch["latents"], batch["condition"]
    level = most_noise * noise.uniform("augmentation")
    condition, told = augment_condition(condition, level, noise.normal("condition", condition.shape[1:]))
    s, eps, model = logit_normal(noise.normal("level")), noise.normal("eps", x0.shape[1:]), Preconditioned(model)
    said = model(add_noise(x0, eps, flow_level(s)), 1000 * s, condition, told)
    error = (said.sample - flow_target(x0, eps)).square().flatten(1).mean(dim=1)  # (B,)
    return {"loss": (error / said.error).mean()}


ARMS = {
    "augmented": diffusion_loss,
    "trusting": partial(diffusion_loss, most_noise=0.0),
}  # name -> loss
# Adam trains the first and the last layers, Muon the rest.
ENDS = ("patches_in", "patches_out", "time_in", "noise_level_in", "to_signal", "to_last_signal")
COMMON = {
    "learning_rate": 5e-3,
    "checkpoint_every": 50,
    "betas": (0.9, 0.95),
    "weight_decay": 0.01,
    "precision": "auto",
}
WINDOWS = {
    "ci": Settings(steps=10, batch_size=2, decay="none", ema_decay=0.9, **COMMON | {"precision": "fp32"}),
    "cpu": Settings(steps=400, batch_size=8, warmup_steps=40, decay="none", ema_decay=0.99, **COMMON),
    "gpu": Settings(steps=10_000, batch_size=128, warmup_steps=200, decay="none", ema_decay=0.999, **COMMON),
}
WHOLE = {
    "ci": Settings(steps=5, batch_size=2, decay="linear", ema_decay=0.9, **COMMON | {"precision": "fp32"}),
    "cpu": Settings(steps=160, batch_size=4, decay="linear", ema_decay=0.99, first_sample=10**6, **COMMON),
    "gpu": Settings(steps=5000, batch_size=64, decay="linear", ema_decay=0.999, first_sample=10**7, **COMMON),
}
FURTHER = {
    "ci": Settings(steps=5, batch_size=2, decay="linear", ema_decay=0.9, **COMMON | {"precision": "fp32"}),
    "cpu": Settings(steps=1500, batch_size=8, warmup_steps=40, decay="linear", ema_decay=0.99, first_sample=2 * 10**6,
                    **COMMON),
    "gpu": Settings(steps=10_000, batch_size=64, warmup_steps=200, decay="linear", ema_decay=0.999,
                    first_sample=2 * 10**7, **COMMON),
}  # fmt: skip
LONGEST = FURTHER | {
    "cpu": Settings(steps=2200, batch_size=8, warmup_steps=40, decay="linear", ema_decay=0.995, first_sample=3 * 10**6,
                    **COMMON)
}  # fmt: skip


def build_model(preset: str) -> SuperResolutionDiT:
    """A fresh model that knows the statistics of its latents."""
    return SuperResolutionDiT(**PRESETS[preset], **statistics())


def upscaler_recipe(arm: str, name: str) -> Recipe:
    """The recipe of an arm.

    Args:
        arm: a name of `ARMS`.
        name: of the weights.
    """
    return Recipe(
        name=name,
        build_model=build_model,
        data=lambda preset: pairs(NUM_CLIPS[preset], WINDOW),
        compute_loss=ARMS["trusting"],
        optimizer=partial(muon, ends=ENDS),
        stages={
            "main": Stage(WINDOWS),
            "whole": Stage(WHOLE, "main", data=lambda preset: pairs(NUM_CLIPS[preset]), compute_loss=ARMS[arm]),
            "further": Stage(FURTHER, "whole", data=lambda preset: pairs(NUM_FURTHER[preset]), compute_loss=ARMS[arm]),
            "longest": Stage(
                LONGEST, "further", data=lambda preset: pairs(NUM_FURTHER[preset]), compute_loss=ARMS[arm]
            ),
        },
    )
