"""Five arms of the `mini` world, coded frame by frame: one small transformer, and five patterns of attention in it.

    recipe = pattern_recipe("factorised")
    train(recipe, "cpu", folder="runs/factorised")          a third of a minute of one core

The task is to read: a disc moves left, right, up or down, and *every token* has to name the motion, also those that
never see the disc. A clip is 144 tokens: nine frames, each coded alone, of 4×4 patches. All arms have the same clips in
the same order, the same number of steps, and weights of equal shapes.

So that runs of seconds say something, colours are taken out: of each latent only its distance from the median of its
frame is left, one number per place. Every clip is shown forward and backward. Backward, left is right and up is down,
and each frame alone is what it was.
"""

from collections.abc import Sequence
from functools import lru_cache, partial

import torch
from torch.nn import functional as F

from common.data.latent_cache import LatentCache
from common.data.mini import MiniSprites
from common.data.sprites import parse
from common.models.frame_autoencoder import encode_frames
from common.models.pattern_transformer import PatternTransformer
from common.training import Recipe, Settings, Stage, muon
from common.zoo.mini_arm import NUM_CLIPS, MiniCoder, cached_latents

MOVES = ("left", "right", "up", "down")
BACKWARD = (1, 0, 3, 2)  # the number of each of them when time runs backward
GRID = (9, 4, 4)  # tokens of a clip
CORNER = (4, 0, 0)  # the token that is asked: middle frame, upper left
WINDOW = (3, 2, 2)  # 12 tokens: about as many as a frame and a time line have on average
NUM_KEPT_BACK = 516  # clips that move straight and are not trained on; with their reverses 1,032
MEAN_DISTANCE, STD_DISTANCE = 0.4, 0.37  # of latents from their frame's median, over the training clips
BATCH = 43  # clips read at once, and as many reverses


@lru_cache
def coder() -> MiniCoder:
    """Pixels to latents frame by frame."""
    return MiniCoder("frames")


def distances(latents: torch.Tensor) -> torch.Tensor:
    """How far each latent is from the median of its frame: `(B, C, T', H', W')` to `(B, 1, T', H', W')`.

    The root mean square over channels, brought to about mean 0 and standard deviation 1. No frame sees another one.
    """
    median = latents.flatten(3).median(dim=-1).values[..., None, None]
    far = (latents - median).square().mean(dim=1, keepdim=True).sqrt()
    return (far - MEAN_DISTANCE) / STD_DISTANCE


def both_ways(latents: torch.Tensor, moves: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips, and after them the same clips backward.

    Args:
        latents: `(B, C, T', H', W')`.
        moves: `(B,)`, which of `MOVES` each clip shows.

    Returns:
        `(2 B, C, T', H', W')` and `(2 B,)`.
    """
    return torch.cat([latents, latents.flip(2)]), torch.cat([moves, torch.tensor(BACKWARD)[moves]])


class MovingLatents:
    """Clips whose disc moves straight, as `distances`, all of them in memory; by number, modulo how many there are.

    Args:
        cache: of captioned latents.
        normalize: raw latents to those that the model sees.
        kept_back: the last so many are not trained on.

    Attributes:
        others: latents and moves of the clips that are kept back.
    """

    def __init__(self, cache: LatentCache, normalize, kept_back: int):
        found = cache.batch(range(len(cache)))
        motions = [parse(text).objects[0].motion for text in found.fields["captions"]]
        rows = [k for k, motion in enumerate(motions) if motion in MOVES]
        latents = distances(normalize(found.latents[rows].float()))
        moves = torch.tensor([MOVES.index(motions[k]) for k in rows])
        count = len(rows) - kept_back
        self.latents, self.moves, self.others = latents[:count], moves[:count], (latents[count:], moves[count:])
        self.key = f"straight motions of {cache.key}, {kept_back} kept back"

    def __len__(self) -> int:
        return len(self.latents)

    def batch(self, indices) -> dict[str, torch.Tensor]:
        """`latents` `(B, C, T', H', W')` and `moves` `(B,)`."""
        chosen = torch.tensor([int(index) % len(self) for index in indices])
        return {"latents": self.latents[chosen], "moves": self.moves[chosen]}


@lru_cache
def moving_latents(num_clips: int = NUM_CLIPS) -> MovingLatents:
    """What the arms are trained on: two thirds of the first clips. They are encoded the first time: 45 ms per clip.

    Args:
        num_clips: of the training split. A fifth of them is kept back, or 516 if that is less.
    """
    kept_back = min(NUM_KEPT_BACK, num_clips // 5)
    return MovingLatents(cached_latents(coder(), num_clips), coder().normalize, kept_back)


def moving_clips(numbers: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Clips of the test split whose disc moves straight.

    Args:
        numbers: among those clips, rising.

    Returns:
        `(B, 3, 9, 64, 64)` in [-1, 1]; the `distances` of their latents, `(B, 1, 9, 8, 8)`; which of `MOVES` they show,
        `(B,)`.
    """
    world, chosen, moves, seen, number = MiniSprites("test"), [], [], -1, -1
    for wanted in numbers:
        while seen < wanted:
            number += 1
            motion = world.scenes([number])[0].objects[0].motion
            seen += motion in MOVES
        chosen.append(number)
        moves.append(MOVES.index(motion))
    clips = world.batch(chosen).clips()
    with torch.no_grad():
        latents = coder().normalize(encode_frames(coder().vae, clips))
    return clips, distances(latents), torch.tensor(moves)


def compute_loss(model, batch, noise=None):
    """Cross-entropy of every token of the clips, forward and backward.

    Args:
        model: `(B, 1, T', H', W')` to `.logits` `(B, T', H, W, 4)`.
        batch: as `MovingLatents` gives it.
        noise: not used: nothing is drawn at random.
    """
    latents, moves = both_ways(batch["latents"], batch["moves"])
    logits = model(latents).logits.float()
    wanted = moves[:, None, None, None].expand(logits.shape[:-1])
    return {"loss": F.cross_entropy(logits.flatten(0, 3), wanted.flatten())}


@torch.no_grad()
def read_moves(model, latents: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    """Which tokens name the right motion, in clips forward and then backward: bool `(2 B, T', H, W)`.

    Args:
        model: as in `compute_loss`.
        latents: `(B, C, T', H', W')`.
        moves: `(B,)`, which of `MOVES` they show.
    """
    right = []
    for some, shown in zip(latents.split(BATCH), moves.split(BATCH)):
        clips, wanted = both_ways(some, shown)
        right.append((model(clips).logits.argmax(-1) == wanted[:, None, None, None]).chunk(2))
    return torch.cat([torch.cat(way) for way in zip(*right)])


def measure_arm(model, num_clips: int | None = None) -> dict[str, float]:
    """Of clips kept back: the part that is named right by the corner of the middle frame, and by all tokens on average.

    Args:
        model: as in `compute_loss`.
        num_clips: of them; None for all.
    """
    latents, moves = moving_latents().others
    right = read_moves(model, latents[:num_clips], moves[:num_clips]).float()
    return {"corner": right[:, *CORNER].mean().item(), "tokens": right.mean().item()}


# The rate is constant, so that a run may be prolonged, and looked at on its way. What is read is the running mean.
COMMON = {"learning_rate": 1e-2, "decay": "none", "betas": (0.9, 0.95), "weight_decay": 0.01, "precision": "fp32"}
SETTINGS = {
    "ci": Settings(steps=10, batch_size=4, ema_decay=0.9, **COMMON),
    "cpu": Settings(steps=200, batch_size=8, warmup_steps=20, ema_decay=0.9, checkpoint_every=40, **COMMON),
}


def build_arm(pattern: str) -> PatternTransformer:
    """A fresh model of an arm, by its pattern."""
    return PatternTransformer(pattern=pattern, window=WINDOW)


def pattern_recipe(pattern: str, name: str | None = None) -> Recipe:
    """The recipe of an arm.

    Args:
        pattern: a name of `PATTERNS`.
        name: of the recipe; None for `mini-` and the pattern's.
    """
    return Recipe(
        name=name or f"mini-{pattern}",
        build_model=lambda preset: build_arm(pattern),
        data=lambda preset: moving_latents(),
        compute_loss=compute_loss,
        optimizer=partial(muon, ends=("patches_in", "places", "to_logits")),
        stages={"main": Stage(SETTINGS)},
        measure=lambda model, preset: measure_arm(model, 86),
    )
