"""What a check found: one `Result` a test, one status a result."""

from dataclasses import dataclass, field

# pass     the test holds
# fail     the answer is wrong: a test said so
# todo     not written yet (NotImplementedError, or the cell was never run)
# blocked  did not pass, and an exercise that it builds on does not pass either
# error    the answer crashed
# timeout  the answer did not end in time
STATUSES = ("pass", "fail", "todo", "blocked", "error", "timeout")


@dataclass
class Result:
    """One test of one exercise. `points` are what it is worth; `earned` is what this answer got."""

    test: str  # the test's name within its file, such as "test_even_indices_ends[5]"
    title: str  # first line of the test's docstring: what must hold
    exercise: str
    points: float = 1.0
    needs: tuple[str, ...] = ()  # exercises that this one builds on
    hint: str = ""
    status: str = "todo"
    message: str = ""
    seconds: float = 0.0
    pictures: list[tuple[str, str]] = field(default_factory=list)  # (label, PNG as base64)

    @property
    def ok(self) -> bool:
        return self.status == "pass"

    @property
    def earned(self) -> float:
        return self.points if self.ok else 0.0


def score(results: list[Result]) -> tuple[float, float]:
    """Points earned and points to be had."""
    return sum(r.earned for r in results), sum(r.points for r in results)
