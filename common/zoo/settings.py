"""The settings of a measurement: "small" for a look, "full" for a card."""

from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")


def pick_setting(settings: Mapping[str, Value], name: str) -> Value:
    """How much one setting measures: its value.

    Args:
        settings: name -> how much.
        name: one of them.

    Raises:
        ValueError: there is no such setting.
    """
    if name not in settings:
        raise ValueError(f"the setting is one of {', '.join(settings)}; got {name!r}")
    return settings[name]
