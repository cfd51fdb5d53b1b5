"""Graded outcomes: a threshold between a measured broken baseline and the measured reference.

A lab that trains something keeps `calibration/NN_name.json` beside its grader:

    {"seeds": [0, 1, 2, 3, 4],
     "outcomes": {"step_trains": {"measure": "energy distance after 100 steps", "better": "lower", "threshold": 0.45,
                                  "reference": [0.21, ...],
                                  "broken": {"the judge never moves": [0.92, ...], "an untrained model": [...]}}}}

A script beside it, `calibration/NN_name.py`, measures these numbers again.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from common.course.graders.wording import number_text


@dataclass(frozen=True)
class Outcome:
    """One calibrated number: what it measures, where its threshold lies, and what was measured on both sides."""

    name: str
    measure: str
    better: str
    threshold: float
    reference: tuple[float, ...]
    broken: dict[str, tuple[float, ...]]

    def reached(self, value: float) -> bool:
        """Whether a number is on the reference's side of the threshold."""
        return value <= self.threshold if self.better == "lower" else value >= self.threshold

    def judge(self, said: str, value: float) -> None:
        """Raise `AssertionError` unless the outcome is reached; the message names both sides of the threshold."""
        word = "at most" if self.better == "lower" else "at least"
        broken = "; ".join(f"{name}: {span(numbers)}" for name, numbers in self.broken.items())
        assert self.reached(value), (
            f"{said}: {self.measure} is {number_text(value)}, and it should be {word} {number_text(self.threshold)}. "
            f"The reference reaches {span(self.reference)}. Measured with something broken: {broken}"
        )


def span(numbers) -> str:
    """`0.21 to 0.25`, or the one number."""
    low, high = number_text(min(numbers)), number_text(max(numbers))
    return low if low == high else f"{low} to {high}"


def calibration_file(grader: str | Path) -> Path:
    """The calibration that belongs to a grader: `calibration/NN_name.json` beside `test_NN_name.py`."""
    grader = Path(grader)
    return grader.parent / "calibration" / f"{grader.stem.removeprefix('test_')}.json"


def load(grader: str | Path) -> dict[str, Outcome]:
    """The outcomes of a grader, by name: `OUTCOMES = outcomes.load(__file__)`.

    Raises:
        FileNotFoundError: there is no calibration beside the grader.
        ValueError: a threshold does not lie between the reference and every broken run.
    """
    stored = json.loads(calibration_file(grader).read_text(encoding="utf-8"))
    found = {}
    for name, entry in stored["outcomes"].items():
        broken = {key: tuple(numbers) for key, numbers in entry["broken"].items()}
        outcome = Outcome(
            name, entry["measure"], entry["better"], entry["threshold"], tuple(entry["reference"]), broken
        )
        right = all(map(outcome.reached, outcome.reference))
        if not right or any(outcome.reached(value) for numbers in broken.values() for value in numbers):
            raise ValueError(
                f"{name}: the threshold {outcome.threshold} does not part the reference from what is broken"
            )
        found[name] = outcome
    return found
