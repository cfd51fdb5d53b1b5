"""Four arms of the world of pairs: MMDiT or cross-attention, reading bare word embeddings or states of layer 3.

    recipe = pair_recipe("layer0-mmdit")
    curve = train(recipe, "cpu", folder="runs/pairs")       minutes of one core

All arms have the same latents, captions, noise, number of steps and, to one per cent, of parameters.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache

import torch

from common.data.latent_cache import LatentCache, fill
from common.data.mini import MiniLatents
from common.data.mini.pairs import MiniPairs, PairWords
from common.diffusion.guidance import Guidance
from common.diffusion.samplers import Step, last, stochastic
from common.diffusion.schedules import flow_levels
from common.evaluation.pairs import pair_accuracy
from common.models.dit import VideoDiT
from common.models.mmdit import MMVideoDiT
from common.runtime import cache_dir
from common.text.layers import LayerStates
from common.training import Recipe, Settings, Stage
from common.training.recipe import adamw
from common.zoo.mini_arm import BATCH, SHIFT, MiniCoder
from common.zoo.mini_objectives import compute_loss

CROSS = {"dim": 96, "num_layers": 4, "num_heads": 3, "ffn_dim": 352}  # of a `VideoDiT`: 769,216 weights
MMDIT = {"dim": 96, "num_layers": 4, "num_heads": 3, "ffn_dim": 184}  # of an `MMVideoDiT`: 766,120
SHAPE = (16, 1, 8, 8)  # of a picture's latent: 16 tokens of 2×2
NUM_PICTURES = 3000  # of the training split
NUM_ASKED = {"ci": 4, "cpu": 48}  # pictures that are made and read at each look


def cached_pairs(coder: MiniCoder, num_pictures: int = NUM_PICTURES, folder=None) -> LatentCache:
    """Raw latents of the first pictures of the training split; encoded the first time, in seconds.

    Args:
        coder: of the kind "video".
        num_pictures: how many.
        folder: of the cache; None for a place in the user's cache.
    """
    folder = folder or cache_dir() / "latents" / f"mini-pairs-{coder.key.split(',')[0].split()[-1]}"
    encode = lambda batch: coder.encode(batch.clips())  # noqa: E731
    return fill(folder, MiniPairs(), encode, num_pictures, encoder=coder.key)


@torch.no_grad()
def pair_steps(
    model,
    coder: MiniCoder,
    asked: Sequence[PairWords],
    read: Callable,
    num_inference_steps: int = 15,
    guidance_scale: float = 3.0,
    seeds: Sequence[int] | None = None,
) -> Iterator[torch.Tensor]:
    """From noise to pictures: the estimate of the pictures after each step, `(B, 3, 1, 64, 64)` in [-1, 1].

    Args:
        model: `(x, timestep, states, mask) -> .sample`, a velocity.
        coder: in whose latents it was trained.
        asked: words of B captions.
        read: texts to states, as in training.
        num_inference_steps: of the sampler.
        guidance_scale: 1 for none.
        seeds: of the pictures' noise, B of them; None for 0 to B - 1.
    """
    for step in _latent_steps(model, asked, read, num_inference_steps, guidance_scale, seeds or range(len(asked))):
        yield coder.decode(step.denoised)


def _latent_steps(model, asked, read, num_inference_steps, guidance_scale, seeds) -> Iterator[Step]:
    text, rows = read([*(words.caption for words in asked), ""]), range(len(asked))
    velocity = lambda x, s, states, mask: model(x, 1000 * s, states, mask).sample  # noqa: E731
    asked_for, nothing = ((text.states[some], text.mask[some]) for some in (list(rows), [len(asked)] * len(asked)))
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    noise = torch.stack([torch.randn(SHAPE, generator=one) for one in generators])
    predict = Guidance(velocity, asked_for, nothing, guidance_scale)
    return stochastic(predict, noise, flow_levels(num_inference_steps, SHIFT), 1.0, generators)


@torch.no_grad()
def generate_pairs(
    model,
    coder: MiniCoder,
    asked: Sequence[PairWords],
    read: Callable,
    num_inference_steps: int = 15,
    guidance_scale: float = 3.0,
) -> torch.Tensor:
    """A picture for each caption, `(B, 3, 1, 64, 64)` in [-1, 1]. The noise of picture `i` has the seed `i`.

    Arguments as for `pair_steps`.
    """
    made = []
    for start in range(0, len(asked), BATCH):
        chosen = range(start, min(start + BATCH, len(asked)))
        some = [asked[i] for i in chosen]
        made.append(coder.decode(last(_latent_steps(model, some, read, num_inference_steps, guidance_scale, chosen))))
    return torch.cat(made)


@contextmanager
def frozen_text(model: MMVideoDiT):
    """Within it no block rewrites the text: every block reads it as it came in, as cross-attention does."""
    hooks = [block.register_forward_hook(lambda _, args, out: (out[0], args[1])) for block in model.blocks]
    try:
        yield model
    finally:
        for hook in hooks:
            hook.remove()


# The rate is constant, so that all arms can be advanced in turns, and prolonged. What is read is the running mean.
COMMON = {"learning_rate": 2e-3, "decay": "none", "betas": (0.9, 0.95), "weight_decay": 0.01}
SETTINGS = {
    "ci": Settings(steps=10, batch_size=8, ema_decay=0.9, **COMMON),
    "cpu": Settings(steps=1400, batch_size=32, warmup_steps=100, ema_decay=0.995, checkpoint_every=200, **COMMON),
}


@dataclass(frozen=True)
class PairArm:
    """What is different in an arm.

    Attributes:
        layer: of the text encoder, whose states it reads.
        build: a fresh model.
        within: the model to a context manager; it is trained and measured inside it.
    """

    layer: int
    build: Callable[[], MMVideoDiT | VideoDiT]
    within: Callable = nullcontext


def build_mmdit() -> MMVideoDiT:
    """A fresh MMDiT of the study's size."""
    return MMVideoDiT(**MMDIT)


def build_cross() -> VideoDiT:
    """A fresh transformer with cross-attention, of the same number of weights."""
    return VideoDiT(**CROSS)


ARMS = {
    "layer0-mmdit": PairArm(0, build_mmdit),
    "layer0-cross": PairArm(0, build_cross),
    "layer3-mmdit": PairArm(3, build_mmdit),
    "layer3-cross": PairArm(3, build_cross),
    "layer3-frozen": PairArm(3, build_mmdit, frozen_text),
}


@lru_cache
def _coder() -> MiniCoder:
    return MiniCoder()


@lru_cache
def _reader(layer: int) -> LayerStates:
    return LayerStates(layer)


@lru_cache
def captioned_pairs(layer: int, num_pictures: int = NUM_PICTURES) -> MiniLatents:
    """What an arm is trained on: pictures' latents, and their captions' states after this layer of the encoder."""
    return MiniLatents.load(cached_pairs(_coder(), num_pictures), _reader(layer), _coder().normalize)


def build_arm(arm: str) -> MMVideoDiT | VideoDiT:
    """A fresh model of an arm, by its name in `ARMS`."""
    return ARMS[arm].build()


def generate_arm(model, arm: str, asked: Sequence[PairWords], **options) -> torch.Tensor:
    """Pictures by a model of an arm: `generate_pairs` with the arm's text states. Options as there."""
    with ARMS[arm].within(model):
        return generate_pairs(model, _coder(), asked, _reader(ARMS[arm].layer), **options)


def arm_steps(model, arm: str, asked: Sequence[PairWords], **options) -> Iterator[torch.Tensor]:
    """The way to the pictures of a model of an arm: `pair_steps` with the arm's text states. Options as there."""
    with ARMS[arm].within(model):
        yield from pair_steps(model, _coder(), asked, _reader(ARMS[arm].layer), **options)


def pair_recipe(arm: str, name: str | None = None) -> Recipe:
    """The recipe of an arm.

    Args:
        arm: its name in `ARMS`.
        name: of the recipe; None for `pairs-` and the arm's.
    """
    layer, within = ARMS[arm].layer, ARMS[arm].within

    def loss(model, batch, noise):
        with within(model):
            return compute_loss(model, batch, noise)

    def measure(model, preset):
        asked = MiniPairs("test").words(range(NUM_ASKED[preset]))
        return pair_accuracy(asked, generate_arm(model, arm, asked))

    return Recipe(
        name=name or f"pairs-{arm}",
        build_model=lambda preset: build_arm(arm),
        data=lambda preset: captioned_pairs(layer),
        compute_loss=loss,
        optimizer=adamw,
        stages={"main": Stage(SETTINGS)},
        measure=measure,
    )
