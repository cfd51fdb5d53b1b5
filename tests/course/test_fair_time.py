"""A busy machine costs no one a test: time in which others ran does not count, time asleep or at work does."""

import os
import subprocess
import sys
import time

import pytest

from common.course.base import fair_time
from common.course.checking import explain, guards
from common.course.grading import supervise


def test_the_clock_runs_while_a_thread_sleeps():
    began = fair_time.now()
    time.sleep(0.3)
    assert fair_time.now() - began >= 0.2


def test_an_unknown_task_has_not_waited():
    assert fair_time.waited("0/task/0") == 0.0


def test_a_limit_waits_for_a_starved_answer(monkeypatch):
    """the machine gives this thread a tenth of a processor: a limit of 0.3 s is reached after 3 s, not before"""
    begun = time.monotonic()
    monkeypatch.setattr(fair_time, "waited", lambda task="": 0.9 * (time.monotonic() - begun))
    with guards.time_limit(0.3):
        time.sleep(1.0)


def loop():
    while True:
        pass


@pytest.mark.parametrize("stuck", [loop, lambda: time.sleep(30)], ids=["loops", "sleeps"])
def test_a_limit_still_ends_what_loops_or_sleeps(stuck):
    began = fair_time.now()
    with pytest.raises(explain.TestTimeout), guards.time_limit(0.3):
        stuck()
    assert fair_time.now() - began < 5


@pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="the system does not tell")
def test_the_clock_of_a_process_counts_what_its_children_wait_for(monkeypatch):
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        until = time.monotonic() + 60
        while len(fair_time.family(process.pid)) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        assert len(fair_time.family(process.pid)) == 2
        monkeypatch.setattr(fair_time, "PAUSE", 0.0)
        clock = fair_time.ClockOf(process.pid)
        before = clock()
        monkeypatch.setattr(fair_time, "waited", lambda task: 100.0)
        assert clock() - before < -100
    finally:
        process.kill()
        process.wait()
    monkeypatch.setattr(fair_time, "waited", lambda task: 0.0)
    assert clock() - before < -100, "what has ended has waited no less"


def test_the_parent_gives_a_worker_the_time_that_others_took():
    run = supervise.Run({}, clock=lambda: 7.0)
    run._enter("load")
    run.clock = lambda: 7.5  # a minute later on the wall, while the machine did other things
    limits = supervise.Limits(test=2.0)
    assert supervise._time_left(run, limits) == pytest.approx(limits.test + limits.grace - 0.5)
