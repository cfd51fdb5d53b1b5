"""How good `mini-pixels` is: see `common.zoo.mini_measures`."""

from collections.abc import Callable

from common.zoo.mini_measures import measure_card
from common.zoo.settings import pick_setting

SETTINGS = {"small": 2, "full": 12}  # clips of each split


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card, as `measure_card`.

    Raises:
        ValueError: there is no such setting.
    """
    return measure_card(model, "pixels", pick_setting(SETTINGS, setting), progress)
