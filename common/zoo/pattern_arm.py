"""Five arms of the `mini` world, coded frame by frame: one small DiT, and five patterns of attention in it.

    recipe = pattern_recipe("factorised")
    train(recipe, "cpu", folder="runs/factorised")          minutes of one core

All arms have the same latents, words, noise, number of steps and weights of equal shapes. A clip is 144 tokens: nine
frames, each coded alone, of 4×4 patches.
"""

from collections.abc import Sequence
from functools import lru_cache, partial

import torch

from common.data.latent_cache import LatentCache
from common.data.mini import COLORS, FIELDS, MOTIONS, SIZES, MiniSprites
from common.data.sprites import parse
from common.diffusion.guidance import Guidance
from common.diffusion.losses import flow_matching_loss, logit_normal
from common.diffusion.samplers import last, stochastic
from common.diffusion.schedules import flow_levels
from common.evaluation.mini import mini_accuracy
from common.models.pattern_dit import PatternDiT
from common.training import Recipe, Settings, Stage, muon
from common.zoo.mini_arm import NUM_CLIPS, MiniCoder, cached_latents

VOCABULARY = (*SIZES, *COLORS, *FIELDS, *MOTIONS)  # 15 words; no two groups share one
GRID = (9, 4, 4)  # tokens of a clip
WINDOW = (3, 2, 2)  # 12 of them: about as many as a frame and a time line have on average
NO_PROMPT_PART = 0.1  # of the samples: without words, for guidance
LEVEL_MEAN = 1.0  # of the noise levels' logit
SHIFT = 4.0  # of the sampler's levels
STEPS = 8  # of the sampler
GUIDANCE_SCALE = 2.0
BATCH = 32  # clips made at once
NUM_ASKED = {"ci": 4, "cpu": 48}  # clips that are made and read at each look


def words_of(captions: Sequence[str]) -> torch.Tensor:
    """The words of captions of the `mini` world, `(B, 15)`: 1 for each of a caption's four words, 0 for the others."""
    rows = torch.zeros(len(captions), len(VOCABULARY))
    for row, caption in zip(rows, captions):
        scene = parse(caption)
        [item] = scene.objects
        for word in (item.size, item.color, scene.background_color, item.motion):
            row[VOCABULARY.index(word)] = 1
    return rows


class WordedLatents:
    """Latents with the words of their captions, all of them in memory; samples by number, modulo that of the latents.

    Args:
        cache: of captioned latents.
        normalize: raw latents to those that the model sees.
    """

    def __init__(self, cache: LatentCache, normalize):
        found = cache.batch(range(len(cache)))
        self.latents, self.key = normalize(found.latents.float()), cache.key
        self.words = words_of(found.fields["captions"])

    def __len__(self) -> int:
        return len(self.latents)

    def batch(self, indices) -> dict[str, torch.Tensor]:
        """`latents` `(B, C, T', H', W')` and `words` `(B, 15)`."""
        chosen = torch.tensor([int(index) % len(self) for index in indices])
        return {"latents": self.latents[chosen], "words": self.words[chosen]}


@lru_cache
def coder() -> MiniCoder:
    """Pixels to latents frame by frame, and back."""
    return MiniCoder("frames")


@lru_cache
def worded_latents(num_clips: int = NUM_CLIPS) -> WordedLatents:
    """What the arms are trained on; encoded the first time, which takes two minutes of one core."""
    return WordedLatents(cached_latents(coder(), num_clips), coder().normalize)


def compute_loss(model, batch, noise):
    """Flow matching at one level per clip, logit-normal; a tenth of the clips without their words.

    Args:
        model: `(x, timestep, words) -> .sample`, a velocity as x.
        batch: as `WordedLatents` gives it.
        noise: of the levels and the latents, and which clips have no words.
    """
    x0 = batch["latents"]
    words = batch["words"] * (noise.uniform("prompt") >= NO_PROMPT_PART)[:, None]
    level, eps = logit_normal(noise.normal("level"), LEVEL_MEAN), noise.normal("eps", x0.shape[1:])
    velocity = lambda x, timestep: model(x, timestep, words).sample  # noqa: E731
    return {"loss": flow_matching_loss(velocity, x0, eps, level).mean()}


@torch.no_grad()
def generate_latents(
    model,
    captions: Sequence[str],
    num_inference_steps: int = STEPS,
    guidance_scale: float = GUIDANCE_SCALE,
    first_seed: int = 0,
) -> torch.Tensor:
    """Normalised latents of a clip for each caption, `(B, C, T', H', W')`. Clip `i` has the seed `first_seed + i`.

    Args:
        model: as in `compute_loss`.
        captions: B of them.
        num_inference_steps: of the sampler.
        guidance_scale: 1 for none.
        first_seed: of the first clip's noise.
    """
    words, levels, made = words_of(captions), flow_levels(num_inference_steps, SHIFT), []
    velocity = lambda x, s, asked: model(x, 1000 * s, asked).sample  # noqa: E731
    for rows in torch.arange(len(captions)).split(BATCH):
        seeds = [torch.Generator().manual_seed(first_seed + int(row)) for row in rows]
        noise = torch.stack([torch.randn(coder().shape, generator=seed) for seed in seeds])
        predict = Guidance(velocity, [words[rows]], [torch.zeros_like(words[rows])], guidance_scale)
        made.append(last(stochastic(predict, noise, levels, 1.0, seeds)))
    return torch.cat(made)


@torch.no_grad()
def generate(model, captions: Sequence[str], **options) -> torch.Tensor:
    """The same, decoded: `(B, 3, 9, 64, 64)` in [-1, 1]. Arguments as for `generate_latents`."""
    return torch.cat([coder().decode(piece) for piece in generate_latents(model, captions, **options).split(BATCH)])


# The rate is constant, so that a run may be prolonged, and looked at on its way. What is read is the running mean.
COMMON = {"learning_rate": 2e-3, "decay": "none", "betas": (0.9, 0.95), "weight_decay": 0.01, "precision": "fp32"}
SETTINGS = {
    "ci": Settings(steps=10, batch_size=8, ema_decay=0.9, **COMMON),
    "cpu": Settings(steps=1000, batch_size=16, warmup_steps=50, ema_decay=0.99, checkpoint_every=100, **COMMON),
}


def build_arm(pattern: str) -> PatternDiT:
    """A fresh model of an arm, by its pattern."""
    return PatternDiT(pattern=pattern, window=WINDOW, num_words=len(VOCABULARY))


def pattern_recipe(pattern: str, name: str | None = None) -> Recipe:
    """The recipe of an arm.

    Args:
        pattern: a name of `PATTERNS`.
        name: of the recipe; None for `pattern-` and the pattern's.
    """

    def measure(model, preset):
        captions = MiniSprites("test", num_frames=1, size=8).batch(range(NUM_ASKED[preset])).captions
        return mini_accuracy(captions, generate(model, captions))

    return Recipe(
        name=name or f"pattern-{pattern}",
        build_model=lambda preset: build_arm(pattern),
        data=lambda preset: worded_latents(),
        compute_loss=compute_loss,
        optimizer=partial(muon, ends=("patches_in", "patches_out", "words_in")),
        stages={"main": Stage(SETTINGS)},
        measure=measure,
    )
