"""The numbers on the cards of the `mini` arms: does a clip show what its caption asked for?"""

from collections.abc import Callable

import torch

from common.data.mini import MiniSprites
from common.evaluation.mini import mini_agreement
from common.zoo.mini_arm import ARMS, BATCH, MiniCoder, generate

SPLITS = ("test", "held_out")


@torch.no_grad()
def measure_card(model, arm: str, num_clips: int, progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """The part of the clips that are as asked, on captions of known combinations and of those held out.

    Args:
        model: of the arm.
        arm: a name of `ARMS`.
        num_clips: of each split.
        progress: called with the part that is done.

    Returns:
        `test/right`, `test/motion` and so on, as in `mini_agreement`, and `held_out/…`. `shuffled/…`: the clips of
        `test`, each read against the caption of the next one: what luck gives.
    """
    coder = MiniCoder(ARMS[arm].get("kind", "video"))
    found: dict[str, float] = {}
    for k, split in enumerate(SPLITS):
        captions = list(MiniSprites(split, num_frames=1, size=8).batch(range(num_clips)).captions)
        others, rows = captions[1:] + captions[:1], {split: [], "shuffled": []}
        for start in range(0, num_clips, BATCH):
            piece = slice(start, start + BATCH)
            clips = generate(model, coder, captions[piece])
            rows[split] += mini_agreement(captions[piece], clips)
            rows["shuffled"] += mini_agreement(others[piece], clips)
            if progress:
                progress((k + min(1, (start + BATCH) / num_clips)) / len(SPLITS))
        if split != "test":
            del rows["shuffled"]
        for name, some in rows.items():
            found |= {f"{name}/{key}": sum(row[key] for row in some) / len(some) for key in some[0]}
    return found
