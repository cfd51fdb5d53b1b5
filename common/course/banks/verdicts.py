"""What the results of an answer's tests say about it: killed or survivor, passed or false alarm."""

from dataclasses import dataclass, field

from common.course.banks.answers import Answer
from common.course.base.results import Result


@dataclass
class Verdict:
    """What became of one answer. `findings` are (status, test, message) of the tests that did not pass."""

    answer: Answer
    good: bool  # a wrong answer was killed, or a right one passed
    problem: str = ""  # why it is not good
    missing: list[str] = field(default_factory=list)  # words that no failing message has
    findings: list[tuple[str, str, str]] = field(default_factory=list)
    seconds: float = 0.0


def judge(answer: Answer, results: list[Result], broken: str = "", seconds: float = 0.0) -> Verdict:
    """The verdict on an answer.

    Args:
        answer: the answer.
        results: what its tests found.
        broken: why there are no results, where its process ended early.
        seconds: what it took.
    """
    problem, missing = broken, []
    if not broken and answer.kind == "right":
        problem = "" if all(result.ok for result in results) else "a right answer was turned away"
    elif not broken:
        missing = missing_words(answer.words, results)
        problem = _why_not_killed(results, missing)
    findings = [(result.status, result.title, result.message) for result in results if not result.ok]
    return Verdict(answer, not problem, problem, missing, findings, seconds)


def is_killed(words: tuple[str, ...], results: list[Result]) -> bool:
    """Whether these results are enough to kill a wrong answer whose failing messages must hold the words."""
    return any(result.status == "fail" for result in results) and not missing_words(words, results)


def missing_words(words: tuple[str, ...], results: list[Result]) -> list[str]:
    """Those words that no failing message has."""
    said = " ".join(plain(result.message) for result in results if result.status == "fail")
    return [asked for asked in words if plain(asked) not in said]


def plain(text: str) -> str:
    """Text as messages are compared: in lower case, each run of blanks and line ends as one space."""
    return " ".join(text.casefold().split())


def _why_not_killed(results: list[Result], missing: list[str]) -> str:
    statuses = sorted({result.status for result in results if not result.ok})
    if not statuses:
        return "every test passed"
    if "fail" not in statuses:
        return f"no test ended as fail, only as {' and '.join(statuses)}"
    return "no failing message says " + " or ".join(repr(words) for words in missing) if missing else ""
