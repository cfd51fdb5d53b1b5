"""The numbers on the cards of the attention patterns' arms: do tokens name the motion of new clips?"""

from collections.abc import Callable

from common.zoo.pattern_arm import CORNER, moving_clips, read_moves
from common.zoo.settings import pick_setting

SETTINGS = {"small": 16, "full": 64}  # clips of the test split, each forward and backward


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Parts of clips and tokens that are right.

    Args:
        model: a `PatternTransformer`.
        setting: a name of `SETTINGS`.
        progress: called with the part that is done.

    Returns:
        `corner`: clips whose motion the corner of the middle frame names. `pairs`: clips that it names forward and
        backward. `tokens`: the mean over all tokens.

    Raises:
        ValueError: there is no such setting.
    """
    _, latents, moves = moving_clips(range(pick_setting(SETTINGS, setting)))
    if progress:
        progress(0.8)
    right = read_moves(model, latents, moves)
    forward, backward = right[:, *CORNER].chunk(2)
    if progress:
        progress(1.0)
    return {
        "corner": right[:, *CORNER].float().mean().item(),
        "pairs": (forward & backward).float().mean().item(),
        "tokens": right.float().mean().item(),
    }
