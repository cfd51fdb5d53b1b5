"""The default arm of the `mini` world: a 1.5 M transformer trained by flow matching, minutes of one core.

    recipe = arm_recipe("mini-video")                                  the default: latents of the video autoencoder
    recipe = arm_recipe("mini-mine", build_model=MyTransformer)        another model in the same place
    recipe = arm_recipe("mini-pixels", **ARMS["pixels"])               an arm that is compared with it in a lab
    curve = train_for(recipe, CORE_SECONDS, "runs/mini-mine")          common.training.budget

An arm of a study is this recipe with one thing changed, for the same core-seconds. What is compared is the part of the
clips that have the colour and the motion asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from common.data.latent_cache import LatentCache, fill, weights_key
from common.data.mini import MiniLatents, MiniPixels, MiniSprites
from common.diffusion.guidance import Guidance
from common.diffusion.samplers import last, stochastic
from common.diffusion.schedules import flow_levels
from common.evaluation.mini import mini_accuracy
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import VideoDiT
from common.models.frame_autoencoder import decode_frames, encode_frames
from common.models.interpolator import Interpolator
from common.models.pixel_coder import PixelCoder
from common.models.skipped_frames import SkippedFrames
from common.models.stdit import STDiT, close_temporal_blocks
from common.models.time_positions import without_time_positions
from common.runtime import cache_dir
from common.text import TextEncoder
from common.training import Recipe, Settings, Stage
from common.training.recipe import adamw
from common.zoo.mini_objectives import as_velocity, compute_loss, epsilon_loss, uniform_loss, v_loss

MODEL = {"dim": 128, "num_layers": 5, "num_heads": 4, "ffn_dim": 448}  # of a `VideoDiT`: 1,556,608 weights
PIXELS = {"in_channels": 192, "patch_size": 1}  # what a `VideoDiT` has besides on pixels
STDIT = {"in_channels": 16, "out_channels": 16, "dim": 128, "depth": 3, "num_heads": 4, "ffn_dim": 336}  # of a `STDiT`
SHAPES = {
    "video": (16, 3, 8, 8),
    "raw": (16, 3, 8, 8),
    "skipped": (16, 3, 8, 8),
    "frames": (16, 9, 8, 8),
    "pixels": (192, 9, 8, 8),
}
NUM_CLIPS = 3000  # of the training split
CORE_SECONDS = 600
NUM_ASKED = {"ci": 4, "cpu": 48}  # clips that are made and read at each look
FEW = {"ci": 2, "cpu": 24}  # for arms whose looks are dear
BATCH = 24  # clips made at once
SHIFT = 4.0  # of the sampler's levels


@dataclass(frozen=True)
class MiniCoder:
    """Pixels to latents and back, by `sprites-vae` or not at all.

    Attributes:
        kind: "video", 9 frames become 3 latents, 48 tokens of 2×2; "raw", the same, not normalised; "frames", each
            frame one latent, 144 tokens; "skipped", likewise, but of frames 0, 4 and 8 alone, 48 tokens, and the
            frames between are interpolated by `film-interpolator`; "pixels", patches of 8×8 pixels, 576 tokens.
    """

    kind: str = "video"

    def __post_init__(self):
        if self.kind not in SHAPES:
            raise ValueError(f"the kind of latents is one of {', '.join(SHAPES)}; got {self.kind!r}")

    @cached_property
    def vae(self) -> CausalVideoVAE:
        return CausalVideoVAE.from_pretrained("sprites-vae").float().eval().requires_grad_(False)

    @cached_property
    def skipped(self) -> SkippedFrames:
        return SkippedFrames(self.vae, Interpolator.from_pretrained("film-interpolator").eval())

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of a clip's latents: `(C, T', H', W')`."""
        return SHAPES[self.kind]

    @property
    def key(self) -> str:
        """Which encoder it is, for the latent cache. What is not normalised has the same raw latents."""
        return f"{weights_key(self.vae)}, {'video' if self.kind == 'raw' else self.kind}"

    def encode(self, clips: torch.Tensor) -> torch.Tensor:
        """`(B, 3, 9, 64, 64)` in [-1, 1] to raw latents `(B, C, T', H', W')`."""
        if self.kind == "pixels":
            return PixelCoder().encode(clips)
        if self.kind == "skipped":
            return self.skipped.encode(clips)
        return encode_frames(self.vae, clips) if self.kind == "frames" else self.vae.encode(clips).latent_dist.mode()

    def normalize(self, latents: torch.Tensor) -> torch.Tensor:
        """Raw latents to those that the diffusion model sees. Pixels in [-1, 1] stay as they are."""
        return self.vae.normalize(latents) if self.kind in ("video", "frames", "skipped") else latents

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """What the diffusion model gives, to clips in [-1, 1]."""
        if self.kind == "pixels":
            return PixelCoder().decode(latents).clamp(-1, 1)
        z = latents if self.kind == "raw" else self.vae.denormalize(latents)
        if self.kind == "skipped":
            return self.skipped.decode(z).clamp(-1, 1)
        return (decode_frames(self.vae, z) if self.kind == "frames" else self.vae.decode(z).sample).clamp(-1, 1)


def cached_latents(coder: MiniCoder, num_clips: int = NUM_CLIPS, split: str = "train", folder=None) -> LatentCache:
    """Raw latents of the first clips of a split; encoded the first time, which takes about a minute of one core.

    Args:
        coder: makes them.
        num_clips: how many.
        split: of `MiniSprites`.
        folder: of the cache; None for a place in the user's cache.
    """
    kind = coder.key.split()[-1]
    folder = folder or cache_dir() / "latents" / f"mini-{split}-{kind}-{weights_key(coder.vae).split()[-1]}"
    encode = lambda batch: coder.encode(batch.clips())  # noqa: E731
    return fill(folder, MiniSprites(split), encode, num_clips, encoder=coder.key)


def captioned_latents(coder: MiniCoder, num_clips: int = NUM_CLIPS) -> MiniLatents | MiniPixels:
    """What an arm is trained on: the training split as its model sees it, with states of the captions."""
    read = TextEncoder.installed()
    if coder.kind == "pixels":
        return MiniPixels.load(MiniSprites(), read, coder.encode, num_clips)
    return MiniLatents.load(cached_latents(coder, num_clips), read, coder.normalize)


@torch.no_grad()
def draw_latents(
    predict: Callable, coder: MiniCoder, captions: Sequence[str], sample: Callable, guidance_scale: float = 3.0
) -> torch.Tensor:
    """Latents of a clip for each caption, by any sampler: `(B, C, T', H', W')`. The noise of clip `i` has the seed `i`.

    Args:
        predict: `(x, level, states, mask) -> ` as x, in whatever levels the sampler has.
        coder: in whose latents the model was trained.
        captions: B of them.
        sample: `(predict, noise, seeds) -> ` latents; `predict` is guided, and `seeds` has a generator for each clip.
        guidance_scale: 1 for none.
    """
    text = TextEncoder.installed()([*captions, ""])
    empty = len(captions)
    made = []
    for start in range(0, len(captions), BATCH):
        chosen = range(start, min(start + BATCH, len(captions)))
        seeds = [torch.Generator().manual_seed(i) for i in chosen]
        noise = torch.stack([torch.randn(coder.shape, generator=seed) for seed in seeds])
        conditions = [(text.states[rows], text.mask[rows]) for rows in (list(chosen), [empty] * len(chosen))]
        made.append(sample(Guidance(predict, *conditions, guidance_scale), noise, seeds))
    return torch.cat(made)


def generate_latents(
    model, coder: MiniCoder, captions: Sequence[str], num_inference_steps: int = 15, guidance_scale: float = 3.0
) -> torch.Tensor:
    """The same by the sampler of the arms, `stochastic`.

    Args:
        model: as in `compute_loss`.
        coder: in whose latents the model was trained.
        captions: B of them.
        num_inference_steps: of the sampler.
        guidance_scale: 1 for none.
    """
    velocity = lambda x, s, states, mask: model(x, 1000 * s, states, mask).sample  # noqa: E731
    levels = flow_levels(num_inference_steps, SHIFT)
    sample = lambda predict, noise, seeds: last(stochastic(predict, noise, levels, 1.0, seeds))  # noqa: E731
    return draw_latents(velocity, coder, captions, sample, guidance_scale)


@torch.no_grad()
def generate(model, coder: MiniCoder, captions: Sequence[str], *options, **more) -> torch.Tensor:
    """The same, decoded: `(B, 3, 9, 64, 64)` in [-1, 1]. Arguments as for `generate_latents`."""
    latents = generate_latents(model, coder, captions, *options, **more)
    return torch.cat([coder.decode(piece) for piece in latents.split(BATCH)])


def measure_arm(model, coder: MiniCoder, num_asked: int, split: str = "test") -> dict[str, float]:
    """The accuracies of `mini_accuracy` on clips for the first captions of a split."""
    captions = MiniSprites(split, num_frames=1, size=8).batch(range(num_asked)).captions
    return mini_accuracy(captions, generate(model, coder, captions))


COMMON = {"learning_rate": 2e-3, "betas": (0.9, 0.95), "weight_decay": 0.01, "precision": "auto"}
SETTINGS = {
    "ci": Settings(steps=10, batch_size=8, ema_decay=0.9, **COMMON),
    # Small batches: after 120 core-seconds the loss is 0.59 with 16 clips, 0.66 with 48.
    "cpu": Settings(steps=6000, batch_size=16, warmup_steps=100, decay="linear", decay_from=0.6, ema_decay=0.998,
                    **COMMON),
}  # fmt: skip


def arm_recipe(
    name: str,
    kind: str = "video",
    build_model: Callable[[], torch.nn.Module] = lambda: VideoDiT(**MODEL),
    compute_loss: Callable = compute_loss,
    optimizer: Callable = adamw,
    num_clips: int = NUM_CLIPS,
    within: Callable = nullcontext,
    num_asked: Mapping[str, int] = NUM_ASKED,
    batch_size: int | None = None,
    kind_of_prediction: str = "velocity",
) -> Recipe:
    """The recipe of an arm; without other arguments than a name it is the default arm.

    Args:
        name: of the arm.
        kind: of its latents, as in `MiniCoder`.
        build_model: a fresh model, called as in `compute_loss`.
        compute_loss: as in `Recipe`.
        optimizer: as in `Recipe`.
        num_clips: it is trained on.
        within: the model to a context manager; the model is trained and measured inside it.
        num_asked: preset to the number of clips that are made and read at each look.
        batch_size: clips per step; None for the default arm's.
        kind_of_prediction: of the model, as in `convert.split`. It is measured by one sampler, as a velocity.
    """
    coder = MiniCoder(kind)
    sized = {} if batch_size is None else {"batch_size": batch_size}
    settings = {preset: replace(one, **sized) for preset, one in SETTINGS.items()}

    def loss(model, batch, noise):
        with within(model):
            return compute_loss(model, batch, noise)

    def measure(model, preset):
        with within(model):
            asked = model if kind_of_prediction == "velocity" else as_velocity(model, kind_of_prediction)
            return measure_arm(asked, coder, num_asked[preset])

    return Recipe(
        name=name,
        build_model=lambda preset: build_model(),
        data=lambda preset: captioned_latents(coder, num_clips),
        compute_loss=loss,
        optimizer=optimizer,
        stages={"main": Stage(settings)},
        measure=measure,
    )


def pixel_model() -> VideoDiT:
    """A fresh model of the same blocks, on patches of pixels: 576 tokens of 192 numbers."""
    return VideoDiT(**MODEL | PIXELS)


def frames_apart() -> STDiT:
    """A fresh `STDiT` whose temporal blocks add nothing and never learn: its frames are independent."""
    model = STDiT(**STDIT)
    close_temporal_blocks(model)
    for block in model.temporal_blocks:
        block.requires_grad_(False)
    return model


ARMS = {
    "video": {},
    "frames": {"kind": "frames"},
    "pixels": {"kind": "pixels", "build_model": pixel_model, "num_asked": FEW, "batch_size": 4},
    "raw": {"kind": "raw"},
    "no-time": {"within": without_time_positions},
    "uniform": {"compute_loss": uniform_loss},
    "epsilon": {"compute_loss": epsilon_loss, "kind_of_prediction": "epsilon"},
    "v": {"compute_loss": v_loss, "kind_of_prediction": "v_prediction"},
    "stdit-video": {"build_model": lambda: STDiT(**STDIT), "num_asked": FEW},
    "stdit-skipped": {"build_model": lambda: STDiT(**STDIT), "num_asked": FEW, "kind": "skipped"},
    "stdit-apart": {"build_model": frames_apart, "num_asked": FEW},
}  # name -> what is other than in the default arm
