"""How good `sprites-content-motion` is: does the motion follow a swap, and does what is shown stay?

The judge is the reader of the world, which measures pixels and knows no model. The truth about a swap can be drawn, so
the reader's own errors are given too (`truth/…`), and swaps are compared with it pixel by pixel besides.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import torch

from common.data.sprites.attributes import MOTIONS, SpriteScene, is_held_out
from common.data.sprites.solo import NUM_FRAMES, SoloSprites, draw, recombine
from common.evaluation.reconstruction import clip_psnr
from common.evaluation.sprite_swap import motion_words, swap_scores
from common.models.content_motion import swap_motion
from common.models.motion_prior import mixture_log_prob
from common.zoo.settings import pick_setting

SETTINGS = {"small": 64, "full": 512}  # pairs of clips, and drawn motions
BATCH = 32


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: a `ContentMotionVAE`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        Names such as `swap/motion`. The sets: `swap`, pairs of test clips in which something moves; `unseen`, those of
        them whose swap has a shape with a colour or motion never trained on; `from_still`, a clip that stands
        still given a motion; `to_still`, a clip that moves told to stand; `truth`, the swaps as the world draws them;
        `copy`, the clip that gives the content, unchanged. Of each what `swap_scores` finds. Besides: `psnr` of
        restored test clips; of the prior `prior/nats` a frame on test clips, and of motions drawn from it the part
        that the reader has a word for (`prior/named`) with the entropy of these words in bits (`prior/bits`; 7 words
        have at most 2.81); `independent/…`, the same where each frame's code is drawn by itself.

    Raises:
        ValueError: there is no such setting.
    """
    num_pairs = pick_setting(SETTINGS, setting)
    found, say = {}, progress or (lambda part: None)
    sets = pairs(num_pairs)
    for done, (name, (content, motion)) in enumerate(sets.items()):
        found |= scores(name, lambda a, b: swap_motion(model, a, b), content, motion)
        say((done + 1) / (len(sets) + 3))
    content, motion = sets["swap"]
    found |= scores("truth", None, content, motion)
    del found["truth/psnr"]  # against itself
    found |= scores("copy", lambda a, b: a, content, motion)
    say(1 - 1 / (len(sets) + 3))
    clips = draw(content).clips()
    found["psnr"] = clip_psnr(model(clips).sample.clamp(-1, 1), clips, data_range=2).mean().item()
    codes = model.encode(clips)
    found["prior/nats"] = -mixture_log_prob(model.prior(codes.motion.mode()), codes.motion.mode()).mean().item()
    generator = torch.Generator().manual_seed(0)
    drawn = model.prior.sample(num_pairs, NUM_FRAMES, generator)  # (N, Dm, T)
    alone = torch.randn(drawn.shape, generator=generator)
    found |= named("prior", model, codes.content.mode(), drawn) | named(
        "independent", model, codes.content.mode(), alone
    )
    say(1.0)
    return found


def pairs(num_pairs: int, split: str = "test") -> dict[str, tuple[list[SpriteScene], list[SpriteScene]]]:
    """Scenes that give the content, and as many that give the motion: `swap`, `unseen`, `from_still`, `to_still`."""
    moving, still = SoloSprites(split), SoloSprites(split, motions=("still",))
    content, motion = moving.scenes(range(num_pairs)), moving.scenes(range(num_pairs, 2 * num_pairs))
    unseen = [pair for pair in zip(content, motion) if is_held_out(recombine(*pair))]
    standing = still.scenes(range(max(1, num_pairs // 4)))
    return {
        "swap": (content, motion),
        "unseen": tuple(map(list, zip(*unseen))),
        "from_still": (standing, motion[: len(standing)]),
        "to_still": (content[: len(standing)], standing),
    }


def scores(name: str, swap, content: Sequence[SpriteScene], motion: Sequence[SpriteScene]) -> dict[str, float]:
    """What `swap_scores` finds, as `name/…`; `swap(clips, clips)` gives the swapped clips, None the true swaps."""
    if swap is None:
        swapped = draw([recombine(*pair) for pair in zip(content, motion)]).clips()
    else:
        first, second = draw(content).clips().split(BATCH), draw(motion).clips().split(BATCH)
        swapped = torch.cat([swap(a, b) for a, b in zip(first, second)])
    return {f"{name}/{measure}": value for measure, value in swap_scores(swapped, content, motion).items()}


def named(name: str, model, content: torch.Tensor, motion: torch.Tensor) -> dict[str, float]:
    """Of motions `(N, Dm, T)`, drawn on contents `(N, Dc)`: the part with a word, and the words' entropy in bits."""
    parts = zip(content.split(BATCH), motion.split(BATCH))
    words = [word for a, b in parts for word in motion_words(model.decode(a, b).sample.clamp(-1, 1))]
    counts = Counter(word for word in words if word in MOTIONS and word != "still")
    total = sum(counts.values())
    bits = -sum(n / total * math.log2(n / total) for n in counts.values()) if total else 0.0
    return {f"{name}/named": total / len(words), f"{name}/bits": bits}


def recipe_measures(model, preset: str) -> dict[str, float]:
    """A few numbers, for the log of a training run."""
    content, motion = pairs(16 if preset == "ci" else 64)["swap"]
    return scores("swap", lambda a, b: swap_motion(model, a, b), content, motion)
