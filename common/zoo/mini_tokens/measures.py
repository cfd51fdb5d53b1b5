"""How good `mini-tokens` is: the measures of the `mini` arms, so that it is read beside `mini-video`."""

from collections.abc import Callable

from common.zoo.mini_measures import measure_clips
from common.zoo.mini_tokens.recipe import generate

SETTINGS = {"small": 12, "full": 384}  # clips of each split


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card, as `measure_clips`.

    Raises:
        ValueError: there is no such setting.
    """
    if setting not in SETTINGS:
        raise ValueError(f"the setting is one of {', '.join(SETTINGS)}; got {setting!r}")
    return measure_clips(lambda captions: generate(model, captions), SETTINGS[setting], progress)
