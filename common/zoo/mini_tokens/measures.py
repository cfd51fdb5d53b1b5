"""How good `mini-tokens` is: the measures of the `mini` arms, so that it is read beside `mini-video`."""

from collections.abc import Callable

from common.zoo.mini_measures import SPLITS, measure_clips
from common.zoo.mini_tokens.recipe import bits_per_token, generate
from common.zoo.settings import pick_setting

SETTINGS = {"small": 12, "full": 384}  # clips of each split


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card: those of `measure_clips`, and `bits_per_token` of the real clips of both splits.

    Raises:
        ValueError: there is no such setting.
    """
    num_clips = pick_setting(SETTINGS, setting)
    found = measure_clips(lambda captions: generate(model, captions), num_clips, progress)
    return found | {f"{split}/bits_per_token": bits_per_token(model, num_clips, split) for split in SPLITS}
