"""A stopwatch with warm-up, turns and fixed threads, and the staircase that a screen makes of its times."""

import pytest
import torch

from common.course.graders.stand_ins import Clock
from common.evaluation.latency import Latency, frame_pacing, measure_latency


def test_a_stopwatch_that_takes_turns_and_leaves_the_warm_up_out():
    clock, cpu = Clock(), Clock(tick=0.001)
    tasks = {"a": clock.task("a", 9.0, 0.010, 0.030, 0.020), "b": clock.task("b", 7.0, 0.005)}
    found = measure_latency(tasks, rounds=3, warm_up=1, clock=clock, cpu_clock=cpu)
    assert [name for (name,) in clock.calls] == ["a", "b"] * 4
    assert found["a"] == pytest.approx(Latency(20.0, 29.0, 1.0))
    assert found["b"].median == pytest.approx(5.0)


def test_threads_are_fixed_and_set_back():
    before, seen = torch.get_num_threads(), []

    def task():
        seen.append(torch.get_num_threads())
        if len(seen) == 3:
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        measure_latency({"task": task}, num_threads=before + 1)
    assert set(seen) == {before + 1} and torch.get_num_threads() == before


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"warm_up": -1}, {"num_threads": 0}])
def test_too_few_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        measure_latency({}, **wrong)


@pytest.mark.parametrize(
    ("compute", "transport", "fps", "late"),
    [
        ([5.0], 4.0, 60, 0),
        ([12.6], 4.0, 60, 0),
        ([12.8], 4.0, 30, 1),
        ([5.0, 20.0], 4.0, 40, 0.5),
        ([46.0], 4.0, 20, 1),
    ],
)
def test_a_screen_makes_a_staircase_of_times(compute, transport, fps, late):
    assert frame_pacing(compute, transport) == pytest.approx((fps, late))


def test_no_frames_have_no_pace():
    with pytest.raises(ValueError, match="no frames"):
        frame_pacing([], 1.0)
