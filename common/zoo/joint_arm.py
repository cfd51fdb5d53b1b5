"""The arms of lab 04.2: one picture model, and what becomes of it in video training with and without pictures.

    train(joint_recipe("images"), "cpu", folder="runs/images")                         the base: pictures alone
    train(joint_recipe("both"), "cpu", folder="runs/both", weights=base)               a quarter of the frames pictures
    train(joint_recipe("videos"), "cpu", folder="runs/videos", weights=base)             clips alone
    train(joint_recipe("unmasked"), "cpu", folder="runs/unmasked", weights=base)       packed pictures see each other

Three fine-tunings of all weights, from one base, with equal numbers of steps, sequences and frames. See
`common.data.mini.joint` for what is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

import torch

from common.data.latent_cache import LatentCache, fill, weights_key
from common.data.mini.joint import NUM_FRAMES, JointSprites
from common.diffusion.guidance import Guidance
from common.diffusion.joint_loss import loss_by_kind
from common.diffusion.paths import add_noise, flow_level
from common.diffusion.samplers import last, stochastic
from common.diffusion.schedules import flow_levels
from common.layers.packed_images import present_mask
from common.models.autoencoder import CausalVideoVAE
from common.models.frame_autoencoder import decode_frames, encode_frames
from common.models.joint_dit import JOINT, JointDiT
from common.runtime import cache_dir
from common.text import TextEncoder
from common.training import Recipe, Settings, Stage, muon
from common.zoo.joint_latents import JointLatents
from common.zoo.mini_objectives import LEVEL_MEAN, NO_PROMPT_PART


@dataclass(frozen=True)
class Arm:
    """What an arm is trained on.

    Attributes:
        picture_ratio: part of the sequences that are pictures.
        num_frames: of a sequence.
        masked: pictures do not see each other.
    """

    picture_ratio: float
    num_frames: int = NUM_FRAMES
    masked: bool = True


ARMS = {
    "images": Arm(1.0, num_frames=1),
    "videos": Arm(0.0),
    "both": Arm(0.25),
    "unmasked": Arm(0.25, masked=False),
}
NUM_SAMPLES, NUM_AT_CI = 2400, 32  # clips, and pictures, that are trained on
BATCH = 24  # samples made at once
SHIFT = 4.0  # of the sampler's levels


@cache
def vae() -> CausalVideoVAE:
    """It codes every frame alone: a clip's frame and a picture are the same to it."""
    return CausalVideoVAE.from_pretrained("sprites-vae").float().eval().requires_grad_(False)


def cached_latents(kind: str, num_samples: int = NUM_SAMPLES, folder=None) -> LatentCache:
    """Raw latents of the first training samples of a kind; encoded the first time, 7 or 25 ms per sample.

    Args:
        kind: "clips" or "pictures".
        num_samples: how many.
        folder: of the cache; None for a place in the user's cache.
    """
    key = weights_key(vae())
    folder = folder or cache_dir() / "latents" / f"joint-{kind}-{key.split()[-1]}"
    encode = lambda batch: encode_frames(vae(), batch.clips())  # noqa: E731
    return fill(folder, JointSprites(kind), encode, num_samples, encoder=key)


def joint_latents(arm: Arm, batch_size: int, num_steps: int, num_samples: int = NUM_SAMPLES) -> JointLatents:
    """What an arm is trained on: so many clips and pictures, mixed in batches."""
    clips, pictures = (cached_latents(kind, num_samples) for kind in ("clips", "pictures"))
    return JointLatents(clips, pictures, TextEncoder.installed(), vae().normalize, picture_ratio=arm.picture_ratio,
                        batch_size=batch_size, num_frames=arm.num_frames, num_steps=num_steps)  # fmt: skip


def joint_loss(model, batch, noise, masked: bool = True):
    """Flow matching: a clip has one noise level and one prompt, each packed picture its own.

    Args:
        model: a `JointDiT`.
        batch: as `JointLatents` gives it.
        noise: of the levels and the latents, and which frames have no prompt.
        masked: pictures do not see each other.
    """
    x0, is_image, texts = batch["latents"], batch["is_image"], batch["texts"]
    num_frames = x0.shape[2]
    alike = lambda values: torch.where(is_image, values, values[:, :1])  # noqa: E731
    s = (alike(noise.normal("level", (num_frames,))) + LEVEL_MEAN).sigmoid()  # (B, T)
    empty = len(batch["states"]) - 1
    texts = texts.masked_fill(alike(noise.uniform("prompt", (num_frames,))) < NO_PROMPT_PART, empty)
    present = torch.ones_like(is_image)
    tokens = x0.shape[3] * x0.shape[4] // 4
    mask = present_mask(is_image, present, tokens) if masked and num_frames > 1 and is_image.any() else None
    eps = noise.normal("eps", x0.shape[1:])
    x = add_noise(x0, eps, flow_level(s))
    predicted = model(x, 1000 * s, batch["states"][texts], batch["mask"][texts], mask).sample
    found = loss_by_kind((predicted.float() - (eps - x0)).square(), is_image, present)
    return {"loss": found.loss, "video": found.video, "image": found.image}


@torch.no_grad()
def generate(model, captions: Sequence[str], num_frames: int = NUM_FRAMES, num_inference_steps: int = 15,
             guidance_scale: float = 3.0) -> torch.Tensor:  # fmt: skip
    """Clips `(B, 3, T, 64, 64)` in [-1, 1], or pictures with T = 1. The noise of sample `i` has the seed `i`."""
    text = TextEncoder.installed()([*captions, ""])
    empty, made = len(captions), []
    velocity = lambda x, s, states, mask: model(x, 1000 * s, states, mask).sample  # noqa: E731
    levels = flow_levels(num_inference_steps, SHIFT)
    for start in range(0, len(captions), BATCH):
        chosen = range(start, min(start + BATCH, len(captions)))
        seeds = [torch.Generator().manual_seed(i) for i in chosen]
        x = torch.stack([torch.randn(16, num_frames, 8, 8, generator=seed) for seed in seeds])
        conditions = [(text.states[rows], text.mask[rows]) for rows in (list(chosen), [empty] * len(chosen))]
        z = last(stochastic(Guidance(velocity, *conditions, guidance_scale), x, levels, 1.0, seeds))
        made.append(decode_frames(vae(), vae().denormalize(z)).clamp(-1, 1))
    return torch.cat(made)


COMMON = {"learning_rate": 1e-2, "betas": (0.9, 0.95), "weight_decay": 0.01, "warmup_steps": 50, "decay": "linear",
          "decay_from": 0.5, "precision": "auto"}  # fmt: skip
BASE = Settings(steps=900, batch_size=32, ema_decay=0.99, checkpoint_every=100, log_every=50, **COMMON)
FINE = Settings(steps=1000, batch_size=16, ema_decay=0.995, checkpoint_every=100, log_every=50, **COMMON)
CI = Settings(steps=10, batch_size=8, ema_decay=0.9, **COMMON)


def joint_recipe(name: str, start: str | None = None) -> Recipe:
    """The recipe of an arm.

    Args:
        name: of `ARMS`.
        start: name of shipped weights to begin with; None for fresh ones.
    """
    arm, settings = ARMS[name], {"ci": CI, "cpu": BASE if name == "images" else FINE}
    num_samples = {"ci": NUM_AT_CI, "cpu": NUM_SAMPLES}
    return Recipe(
        name=f"joint-{name}",
        build_model=lambda preset: JointDiT(**JOINT),
        data=lambda preset: joint_latents(
            arm, settings[preset].batch_size, settings[preset].steps, num_samples[preset]
        ),
        compute_loss=lambda model, batch, noise: joint_loss(model, batch, noise, arm.masked),
        optimizer=partial(muon, ends=("patches_in", "patches_out", "text_in.0")),
        stages={"main": Stage(settings, start=start)},
    )
