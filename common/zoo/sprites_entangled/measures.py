"""How far a swap gets with `sprites-entangled`, whose codes nothing splits: the best that linear directions give.

The codes of training clips say in which directions codes change over time. How many of these to swap is tried, and what
is stated is the number of directions with which most swaps are right in both respects (and of equals, in either): the
choice is made on the very clips that are measured, in favour of this model.
"""

from collections.abc import Callable

import torch

from common.data.sprites.solo import SoloSprites
from common.models.content_motion import changing_directions, swap_motion_entangled
from common.zoo.settings import pick_setting
from common.zoo.sprites_content_motion.measures import SETTINGS, pairs, scores

NUM_FITTED = 256  # training clips whose codes say what changes
NUM_DIRECTIONS = (2, 4, 8, 16, 24, 32, 48, 64)


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: an `EntangledVAE`.
        setting: "small" or "full", as of `sprites-content-motion`, and the same clips.
        progress: called with the part that is done.

    Returns:
        `swap/…`, what `swap_scores` finds for the best number of directions; `directions`, that number; `restored/…`,
        the same of clips that nothing was done to but to encode and decode them.

    Raises:
        ValueError: there is no such setting.
    """
    content, motion = pairs(pick_setting(SETTINGS, setting))["swap"]
    tried = by_directions(model, content, motion, progress or (lambda part: None))
    best = max(tried, key=lambda count: rank(tried[count]))
    restored = scores("restored", lambda clips, same: model(clips).sample.clamp(-1, 1), content, content)
    return tried[best] | {"directions": best} | restored


def rank(found: dict[str, float]) -> tuple[float, float]:
    """The larger the better: swaps right in both respects, then in either."""
    return found["swap/both"], found["swap/content"] + found["swap/motion"]


def by_directions(model, content, motion, say=lambda part: None) -> dict[int, dict[str, float]]:
    """Number of swapped directions -> scores."""
    codes = fitted_codes(model)
    tried = {}
    counts = [count for count in NUM_DIRECTIONS if count < codes.shape[1]]
    for done, count in enumerate(counts):
        directions = changing_directions(codes, count)
        swap = lambda a, b, directions=directions: swap_motion_entangled(model, a, b, directions)  # noqa: E731
        tried[count] = scores("swap", swap, content, motion)
        say((done + 1) / len(counts))
    return tried


def fitted_codes(model) -> torch.Tensor:
    """The codes of training clips, `(B, D, T)`."""
    clips = SoloSprites("train").batch(range(NUM_FITTED)).clips()
    return torch.cat([model.encode(part).mode() for part in clips.split(32)])


def recipe_measures(model, preset: str) -> dict[str, float]:
    """A few numbers, for the log of a training run."""
    content, motion = pairs(16 if preset == "ci" else 64)["swap"]
    directions = changing_directions(fitted_codes(model), min(4, model.config.content_dim))
    return scores("swap", lambda a, b: swap_motion_entangled(model, a, b, directions), content, motion)
