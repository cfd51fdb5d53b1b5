"""Equal core-seconds for the arms of a comparison."""

import pytest

from common.course.graders.stand_ins import Clock
from common.training.equal_time import equal_time_run


def test_every_arm_gets_its_time_and_stops_with_the_step_that_reaches_it():
    clock = Clock()
    curves = equal_time_run({"slow": clock.task("slow", 3.0), "fast": clock.task("fast", 0.5)}, 6.0, clock)
    assert list(curves) == ["slow", "fast"]
    assert [seconds for seconds, _ in curves["slow"]] == [3.0, 6.0]
    assert [seconds for seconds, _ in curves["fast"]] == [0.5 * k for k in range(1, 13)]


def test_the_arm_with_the_least_time_is_next_and_of_equals_the_first():
    clock = Clock()
    equal_time_run({"a": clock.task("a", 2.0), "b": clock.task("b", 1.0)}, 4.0, clock)
    assert "".join(name for name, *_ in clock.calls) == "abbabb"


def test_losses_come_back_and_time_between_steps_is_not_charged():
    clock, losses = Clock(tick=0.25), iter([5.0, 4.0, 3.0])

    def step():
        clock.advance(1.0)
        return next(losses)

    assert equal_time_run({"one": step}, 3.0, clock) == {"one": [(1.25, 5.0), (2.5, 4.0), (3.75, 3.0)]}


def test_no_time_is_refused_and_no_arm_gives_no_curve():
    for seconds in (0.0, -1.0):
        with pytest.raises(ValueError, match="core-seconds"):
            equal_time_run({"one": float}, seconds)
    assert equal_time_run({}, 1.0) == {}
