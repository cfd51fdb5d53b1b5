"""The numbers on the cards of the `mini` arms: does a clip show what its caption asked for?"""

from collections.abc import Callable

import torch

from common.data.mini import MiniSprites
from common.evaluation.mini import mini_accuracy
from common.zoo.mini_arm import ARMS, MiniCoder, generate

SPLITS = ("test", "held_out")


def measure_card(model, arm: str, num_clips: int, progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """`measure_clips` of a diffusion arm.

    Args:
        model: of the arm.
        arm: a name of `ARMS`.
        num_clips: of each split.
        progress: called with the part that is done.
    """
    coder = MiniCoder(ARMS[arm].get("kind", "video"))
    return measure_clips(lambda captions: generate(model, coder, captions), num_clips, progress)


@torch.no_grad()
def measure_clips(
    make: Callable[[list[str]], torch.Tensor], num_clips: int, progress: Callable[[float], None] | None = None
) -> dict[str, float]:
    """The part of the clips that are as asked, on captions of known combinations and of those held out.

    Args:
        make: captions to clips `(B, 3, T, H, W)` in [-1, 1].
        num_clips: of each split.
        progress: called with the part that is done.

    Returns:
        `test/right`, `test/motion` and so on, as in `mini_accuracy`, and `held_out/…`. `shuffled/…`: the clips of
        `test`, each read against the caption of the next one: what luck gives.
    """
    found: dict[str, float] = {}
    for done, split in enumerate(SPLITS, start=1):
        captions = list(MiniSprites(split, num_frames=1, size=8).batch(range(num_clips)).captions)
        clips = make(captions)
        asked = {split: captions} | ({"shuffled": captions[1:] + captions[:1]} if split == "test" else {})
        for name, some in asked.items():
            found |= {f"{name}/{key}": value for key, value in mini_accuracy(some, clips).items()}
        if progress:
            progress(done / len(SPLITS))
    return found
