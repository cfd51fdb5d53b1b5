"""The banks of every built lab, tried on its grader: all wrong answers killed, no false alarms, in time."""

import json
import subprocess
import sys
import time

import pytest

from common.course import paths
from common.course.answers import own_bank

LABS = paths.all_labs()
SECONDS = 12.0  # a lab, the start of Python and torch included, on two cores


@pytest.mark.parametrize("built", LABS, ids=lambda built: built.id)
def test_every_wrong_answer_is_killed_and_no_right_one_turned_away(built):
    seconds = []
    while not seconds or (seconds[-1] > SECONDS and len(seconds) < 3):  # the best of three: other tests share the cores
        started = time.monotonic()
        ran = subprocess.run(
            [sys.executable, "-m", "common.course", "mutants", built.id, "--json"],
            cwd=paths.root(), capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        seconds.append(time.monotonic() - started)
    assert ran.stdout, ran.stderr
    told = json.loads(ran.stdout)
    bad = [answer for answer in told["answers"] if not answer["good"]]
    assert not bad, "\n".join(f"{a['exercise']}/{a['file']}: {a['problem']}\n    {a['findings']}" for a in bad)
    assert not told["problems"], "\n".join(told["problems"])
    assert (ran.returncode, told["kill_rate"], told["false_alarms"]) == (0, 1, 0)
    assert min(seconds) <= SECONDS, f"proving the bank of {built.id} took {min(seconds):.1f} s"


@pytest.mark.parametrize("built", LABS, ids=lambda built: built.id)
def test_no_answer_stands_twice_and_wrong_ones_ask_for_words(built):
    bank = own_bank([built])
    codes = [answer.code for answer in bank]
    assert len(set(codes)) == len(codes)
    assert not [answer.name for answer in bank if answer.kind == "wrong" and not answer.words]
