"""The banks of every built lab, tried on its grader: all wrong answers killed, no false alarms, in time."""

import json
import resource
import subprocess
import sys
import time

import pytest

from common.course import paths
from common.course.answers import own_bank

LABS = paths.all_labs()
SECONDS = 12.0  # a lab, the start of Python and torch included, on two free cores
NOT_PARALLEL = 2.0  # of these, the start


@pytest.mark.parametrize("built", LABS, ids=lambda built: built.id)
def test_every_wrong_answer_is_killed_and_no_right_one_turned_away(built):
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        [sys.executable, "-m", "common.course", "mutants", built.id, "--json"],
        cwd=paths.root(), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert ran.stdout, ran.stderr
    told = json.loads(ran.stdout)
    bad = [answer for answer in told["answers"] if not answer["good"]]
    assert not bad, "\n".join(f"{a['exercise']}/{a['file']}: {a['problem']}\n    {a['findings']}" for a in bad)
    assert not told["problems"], "\n".join(told["problems"])
    assert (ran.returncode, told["kill_rate"], told["false_alarms"]) == (0, 1, 0)
    # Other tests may hold the cores: then what counts is the work, shared by two.
    assert min(wall, NOT_PARALLEL + busy / 2) <= SECONDS, f"{built.id} took {wall:.1f} s, {busy:.1f} s of work"


@pytest.mark.parametrize("built", LABS, ids=lambda built: built.id)
def test_no_answer_stands_twice_and_wrong_ones_ask_for_words(built):
    bank = own_bank([built])
    codes = [answer.code for answer in bank]
    assert len(set(codes)) == len(codes)
    assert not [answer.name for answer in bank if answer.kind == "wrong" and not answer.words]
