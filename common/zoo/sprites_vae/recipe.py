"""How `sprites-vae` is trained: a causal video autoencoder on sprites and film together, images and video together.

    flipbook train sprites-vae                     stage "main": a constant learning rate
    flipbook train sprites-vae --stage anneal      from there: the rate falls to zero, the loss counts decibels
    flipbook train sprites-vae --stage further     from there: both of it again
    flipbook train sprites-vae --stage polish      from there: a smaller rate, and pixels that stand still count besides
    flipbook train sprites-vae --stage refine      from there: the same at a higher rate, for two tenths of a decibel

With `--weights sprites-vae` a stage goes on from the shipped weights.

Seven clips in eight are sprites, one is film. From each clip one frame is coded by itself besides, as an image.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch.nn import functional as F

from common.data.film import FilmData
from common.data.sprites import SpriteData
from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.show import strips
from common.tensor_ops import from_uint8
from common.training import Recipe, Settings, Stage, muon
from common.training.latent_statistics import record_latent_statistics
from common.training.losses import log_rms, rms

SIZES = {"ci": (5, 32), "cpu": (17, 64), "gpu": (17, 64)}  # frames, pixels
NUM_MEASURED = {"ci": 16, "cpu": 512, "gpu": 512}  # clips over which the latents' statistics are taken
IMAGE_WEIGHT = 0.25
KL_WEIGHT = 3e-3  # on nats a pixel value: enough to keep the latents' scale, too little to blur


@dataclass(frozen=True)
class SpritesAndFilm:
    """Clip `i` is film where `i` leaves 7 when divided by 8, and sprites elsewhere."""

    num_frames: int
    size: int

    @property
    def key(self) -> str:
        return f"sprites and film 7:1, {self.num_frames}x{self.size}"

    def batch(self, indices) -> torch.Tensor:
        """uint8 `(B, 3, T, H, W)`."""
        sprites = SpriteData(num_frames=self.num_frames, size=self.size)
        film = FilmData("train", self.num_frames, self.size)
        drawn = [film.clip(i) if is_film(i) else sprites.batch([i]).pixels[0] for i in map(int, indices)]
        return torch.stack(drawn)


def is_film(index: int) -> bool:
    """Whether clip `index` of `SpritesAndFilm` is film."""
    return index % 8 == 7


def compute_loss(model, pixels, noise, error=None, change_weight=1.0, still_weight=0.0):
    """Error of the clip, of its change from frame to frame, of one frame as an image; and the KL term.

    Args:
        model: encodes and decodes.
        pixels: uint8 `(B, 3, T, H, W)`.
        noise: of the latents.
        error: of clips, from the difference to the original `(B, 3, T, H, W)`; `rms` unless told otherwise.
        change_weight: of the change from frame to frame: what keeps still things still.
        still_weight: of the change where there is none in the original, besides.
    """
    error = error or rms
    clips = from_uint8(pixels)
    restored, kl = through(model, clips, noise, "clip")
    chosen = noise.integers("frame", clips.shape[2])  # (B,)
    images = clips[torch.arange(len(clips)), :, chosen][:, :, None]  # (B, 3, 1, H, W)
    restored_images, _ = through(model, images, noise, "image")
    change, made = clips.diff(dim=2), restored.diff(dim=2)  # (B, 3, T - 1, H, W)
    parts = {
        "error": error(restored - clips),
        "change": F.l1_loss(made, change),
        "still": (made.abs() * (change == 0)).mean(),
        "image": error(restored_images - images),
        "kl": kl,
    }
    weights = {"error": 1.0, "change": change_weight, "still": still_weight, "image": IMAGE_WEIGHT, "kl": KL_WEIGHT}
    return {"loss": sum(weights[name] * part for name, part in parts.items()), **parts}


def through(model, clips, noise, name):
    """Encode, draw, decode. Returns the restored clips and the KL divergence in nats a pixel value."""
    dist = model.encode(clips).latent_dist
    z = dist.mean + dist.std * noise.normal(name, dist.mean.shape[1:])
    return model.decode(z).sample.float(), dist.kl().sum() / clips.numel()


def measure(model, preset):
    """PSNR on a few held-out clips of each kind, in dB."""
    num_frames, size = SIZES[preset]
    kinds = {
        "sprites": SpriteData(split="held_out", num_frames=num_frames, size=size).batch(range(32)).pixels,
        "film": FilmData("test", num_frames, size).batch(range(16)),
    }
    found = {}
    for kind, pixels in kinds.items():
        clips = from_uint8(pixels)
        restored = model(clips).sample.clamp(-1, 1)
        error = (restored - clips).square().flatten(1).mean(dim=1)  # (B,)
        found[f"psnr_{kind}"] = float((10 * torch.log10(4 / error)).mean())
        found[f"change_{kind}"] = float(restored.diff(dim=2).abs().mean() / clips.diff(dim=2).abs().mean())
    return found


def finish(model, preset):
    """Mean and standard deviation of each latent channel over clips of the training data, into the model's config."""
    record_latent_statistics(model, SpritesAndFilm(*SIZES[preset]), NUM_MEASURED[preset])


def sheet(model, preset):
    """Two held-out clips, each above what comes back."""
    num_frames, size = SIZES[preset]
    sprites = SpriteData(split="held_out", num_frames=num_frames, size=size).batch([0]).clips()
    film = from_uint8(FilmData("test", num_frames, size).batch([0]))
    rows = {}
    for kind, clip in (("sprites", sprites), ("film", film)):
        rows |= {kind: clip[0], f"{kind}, restored": model(clip).sample[0].clamp(-1, 1)}
    return strips(rows)


# What Muon, bf16 and the small model are worth: benchmarks/time_to_quality.md.
COMMON = {"batch_size": 8, "betas": (0.9, 0.95), "weight_decay": 0.01, "ema_decay": 0.998, "precision": "auto"}
LARGE = COMMON | {"batch_size": 64, "ema_decay": 0.999}
ENDS = ("patches_in", "patches_out", "latents_in", "moments_out")  # the layers that touch pixels and latents
RECIPE = Recipe(
    name="sprites-vae",
    build_model=lambda preset: CausalVideoVAE(**PRESETS[preset]),
    data=lambda preset: SpritesAndFilm(*SIZES[preset]),
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=40, learning_rate=5e-3, warmup_steps=10, decay="none", **COMMON),
                "cpu": Settings(
                    steps=5400,
                    learning_rate=5e-3,
                    warmup_steps=100,
                    decay="none",
                    measure_every=250,
                    sheet_every=500,
                    checkpoint_every=100,
                    **COMMON,
                ),
                "gpu": Settings(
                    steps=20_000,
                    learning_rate=5e-3,
                    warmup_steps=200,
                    decay="none",
                    measure_every=1000,
                    sheet_every=2000,
                    checkpoint_every=500,
                    **LARGE,
                ),
            }
        ),
        "anneal": Stage(
            {
                "ci": Settings(steps=20, learning_rate=5e-3, decay="linear", first_sample=10**6, **COMMON),
                "cpu": Settings(
                    steps=2600,
                    learning_rate=5e-3,
                    decay="linear",
                    first_sample=10**6,
                    measure_every=250,
                    sheet_every=500,
                    checkpoint_every=100,
                    **COMMON,
                ),
                "gpu": Settings(
                    steps=5000,
                    learning_rate=5e-3,
                    decay="linear",
                    first_sample=10**7,
                    measure_every=500,
                    sheet_every=1000,
                    checkpoint_every=500,
                    **LARGE,
                ),
            },
            start="main",
            compute_loss=partial(compute_loss, error=log_rms, change_weight=2.5),
        ),
        "further": Stage(
            {
                "ci": Settings(steps=20, learning_rate=5e-3, decay="linear", first_sample=2 * 10**6, **COMMON),
                "cpu": Settings(
                    steps=4400,
                    learning_rate=5e-3,
                    warmup_steps=100,
                    decay="linear",
                    decay_from=0.4,
                    first_sample=2 * 10**6,
                    measure_every=400,
                    sheet_every=1600,
                    checkpoint_every=100,
                    **COMMON,
                ),
            },
            start="anneal",
            compute_loss=partial(compute_loss, error=log_rms, change_weight=4.0),
        ),
        "polish": Stage(
            {
                "ci": Settings(steps=20, learning_rate=1.5e-3, decay="linear", first_sample=3 * 10**6, **COMMON),
                "cpu": Settings(
                    steps=1100,
                    learning_rate=1.5e-3,
                    warmup_steps=30,
                    decay="linear",
                    first_sample=3 * 10**6,
                    measure_every=275,
                    sheet_every=550,
                    checkpoint_every=100,
                    **COMMON,
                ),
            },
            start="further",
            compute_loss=partial(compute_loss, error=log_rms, change_weight=4.0, still_weight=0.7),
        ),
        "refine": Stage(
            {
                "ci": Settings(steps=20, learning_rate=3e-3, decay="linear", first_sample=4 * 10**6, **COMMON),
                "cpu": Settings(
                    steps=2400,
                    learning_rate=3e-3,
                    warmup_steps=50,
                    decay="linear",
                    first_sample=4 * 10**6,
                    measure_every=600,
                    sheet_every=1200,
                    checkpoint_every=50,
                    **COMMON,
                ),
            },
            start="polish",
            compute_loss=partial(compute_loss, error=log_rms, change_weight=4.0, still_weight=0.7),
        ),
    },
    sheet=sheet,
    measure=measure,
    finish=finish,
)
