"""A card says how weights were made and how good they are; every measured number on it can be measured again."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from common.models.shipped import config_checksum
from common.zoo.shelf import WEIGHTS, ZooError

MARKS = "<!-- numbers -->", "<!-- end of numbers -->"
TOLERANCE = 0.005  # relative: processors round differently; real differences are larger


@dataclass
class Card:
    """What `card.json` holds.

    Attributes:
        name: of the weights.
        what: one line.
        made: how: data, steps, hardware, wall-clock, date, commit. Said, not measured again.
        weights: `bytes`, `sha256` and `num_parameters` of the file, and `config_sha256` of the config.
        measured: setting -> measure -> number.
        bars: measure -> relation and number, one or more of them: `psnr: [">=", 32]`, `ratio: [">=", 0.9, "<=", 1.1]`.
        fails: what these weights do not do, in sentences.
    """

    name: str
    what: str
    made: dict[str, str] = field(default_factory=dict)
    weights: dict[str, int | str] = field(default_factory=dict)
    measured: dict[str, dict[str, float]] = field(default_factory=dict)
    bars: dict[str, list] = field(default_factory=dict)
    fails: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """One number of a card that is not what was measured now; None where one of the two is missing."""

    measure: str
    stated: float | str | None
    found: float | str | None

    def __str__(self) -> str:
        return f"{self.measure}: the card says {_shown(self.stated)}, measured {_shown(self.found)}"


def read_card(place: Path) -> Card:
    """The card of a folder.

    Raises:
        ZooError: there is none, or it is not one.
    """
    try:
        return Card(**json.loads((place / "card.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ZooError(f"{place} has no card.json") from None
    except (TypeError, json.JSONDecodeError) as error:
        raise ZooError(f"{place / 'card.json'} is not a card: {error}") from error


def write_card(place: Path, card: Card) -> None:
    """Write `card.json`, and the numbers into `card.md` between its two marks.

    Raises:
        ZooError: `card.md` has no marks.
    """
    page = place / "card.md"
    text = page.read_text(encoding="utf-8")
    if any(text.count(mark) != 1 for mark in MARKS):
        raise ZooError(f"{page} must hold {MARKS[0]} and {MARKS[1]} once each")
    before, rest = text.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    page.write_text(f"{before}{MARKS[0]}\n{numbers_table(card)}\n{MARKS[1]}{after}", encoding="utf-8")
    (place / "card.json").write_text(json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def file_facts(place: Path) -> dict[str, int | str]:
    """`bytes`, `sha256` and `num_parameters` of a folder's weights, and `config_sha256` of their config."""
    from safetensors import safe_open

    data = (place / WEIGHTS).read_bytes()
    with safe_open(place / WEIGHTS, framework="np") as file:
        count = sum(math.prod(file.get_slice(key).get_shape()) for key in file.keys())  # noqa: SIM118
    facts = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "num_parameters": count}
    return facts | {"config_sha256": config_checksum(place)}


def differences(stated: Mapping, found: Mapping) -> list[Difference]:
    """Where what is stated and what was found differ: in a number by more than the tolerance, or in being there."""
    wrong = []
    for measure in {**stated, **found}:
        there, now = stated.get(measure), found.get(measure)
        if not _same(there, now):
            wrong.append(Difference(measure, there, now))
    return wrong


def missed_bars(card: Card, found: Mapping[str, float]) -> list[str]:
    """The bars that what was found does not reach, a sentence each."""
    missed = []
    for measure, bar in card.bars.items():
        value = found.get(measure)
        for relation, bound in zip(bar[::2], bar[1::2]):
            if value is not None and not (value >= bound if relation == ">=" else value <= bound):
                missed.append(f"{measure} is {_shown(value)}; the bar is {relation} {bound}")
    return missed


def numbers_table(card: Card) -> str:
    """All measured numbers, a column for each setting, as Markdown."""
    settings = list(card.measured)
    rows = list(dict.fromkeys(measure for setting in settings for measure in card.measured[setting]))
    lines = [f"| measure | {' | '.join(settings)} | bar |", f"|---|{'---|' * (len(settings) + 1)}"]
    for measure in rows:
        values = [_shown(card.measured[setting].get(measure)) for setting in settings]
        bar = " ".join(map(str, card.bars[measure])) if measure in card.bars else ""
        lines.append(f"| `{measure}` | {' | '.join(values)} | {bar} |")
    return "\n".join(lines)


def _same(there, now) -> bool:
    if isinstance(there, float) or isinstance(now, float):
        if there is None or now is None:
            return False
        return there == now or math.isclose(there, now, rel_tol=TOLERANCE, abs_tol=1e-4)
    return there == now


def _shown(value) -> str:
    if value is None:
        return "nothing"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
