"""How good `mini-pixels` is: see `common.zoo.mini_measures`."""

from collections.abc import Callable

from common.zoo.mini_measures import measure_card

SETTINGS = {"small": 2, "full": 12}  # clips of each split


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card, as `measure_card`.

    Raises:
        ValueError: there is no such setting.
    """
    if setting not in SETTINGS:
        raise ValueError(f"the setting is one of {', '.join(SETTINGS)}; got {setting!r}")
    return measure_card(model, "pixels", SETTINGS[setting], progress)
