"""A test is stopped in time, the tools of the tests stay what they are, and the kernel is left as it was."""

import importlib
import os
import random
import subprocess
import sys
import threading
import warnings

import numpy
import pytest
import torch

from common.course.checking import guards

# Time


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "while True:\n        try:\n            while True: pass\n        except Exception: pass",
        "try:\n        while True: pass\n    except: pass\n    while True: pass",
    ],
    ids=["endless", "catches exceptions", "catches everything once"],
)
def test_an_endless_loop_is_stopped_and_the_other_tests_still_run(mini_course, body):
    results = mini_course.run({"double": f"def double(x):\n    {body}"}, timeout=0.3)
    assert results["test_greeting"].status == "pass"
    assert results["test_double_of_three"].status == "timeout"
    assert results["test_double_of_three"].message == "took longer than 0.3 s: is there an endless loop?"


def test_an_answer_that_hung_once_is_given_less_time_by_the_next_tests(mini_course):
    results = mini_course.run({"double": "def double(x):\n    while True: pass"}, "double", timeout=1.0)
    first, *others = [r.seconds for r in results.values()]
    assert first >= 1.0 and all(0.2 <= seconds < 0.9 for seconds in others)


def test_an_endless_loop_is_stopped_outside_the_main_thread(mini_course):
    found = {}

    def work():
        found.update(mini_course.run({"double": "def double(x):\n    while True: pass"}, "double", timeout=0.3))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert {r.status for r in found.values()} == {"timeout"}


PROFILED = """
import contextlib, sys, threading, time
from common.course.checking import guards

def called(): return 1

def work():
    for seconds, body in ((60, called), (0.1, lambda: time.sleep(0.5))):  # not planted, planted
        with contextlib.suppress(guards.TestTimeout), guards.time_limit(seconds):
            body()
    inside = guards.time_limit(0.1)
    inside.__enter__()
    time.sleep(0.3)  # in C: it is planted here, and raised only after that
    with contextlib.suppress(guards.TestTimeout):
        inside.__exit__(None, None, None)
    sys.setprofile(lambda *event: None)
    called()

thread = threading.Thread(target=work)
thread.start()
thread.join()
sys.setprofile(lambda *event: None)
print(called())
"""


def test_code_can_be_profiled_after_a_limit_outside_the_main_thread():
    """CPython 3.11 never got past the first line of the next function when a planted exception was taken back"""
    ran = subprocess.run([sys.executable, "-c", PROFILED], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.returncode) == ("1\n", 0), ran.stderr


def test_a_cell_that_does_not_end_is_charged_to_the_notebook(mini_course):
    results = mini_course.run({"double": "while True: pass"}, timeout=0.3)
    assert {r.status for r in results.values() if not r.needs} == {"timeout"}
    assert "exercise cells" in results["test_greeting"].message


# What the answer does to its surroundings


def test_the_session_is_left_as_it_was(mini_course, monkeypatch):
    vandal = """
import os, random, sys, warnings
import matplotlib.pyplot as plt
import numpy, torch
def double(x):
    random.seed(1); numpy.random.seed(1); torch.manual_seed(1); torch.rand(3); random.random()
    os.chdir("/"); os.environ["LEFT_BEHIND"] = "1"; os.environ.pop("KEPT", None); sys.path.insert(0, "/nowhere")
    sys.modules.pop("json", None); warnings.simplefilter("error"); plt.figure()
    torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False)
    return 2 * x
"""
    import matplotlib.pyplot as plt

    monkeypatch.setenv("KEPT", "yes")
    kept = plt.figure()

    def state():
        return {
            "torch": torch.get_rng_state().tolist(),
            "numpy": numpy.random.get_state()[1].tolist(),
            "random": random.getstate(),
            "folder": os.getcwd(),
            "environment": dict(os.environ),
            "path": list(sys.path),
            "json": sys.modules["json"],
            "own modules": sorted(n for n in sys.modules if n.startswith(("lab_", "tests."))),
            "warnings": list(warnings.filters),
            "figures": plt.get_fignums(),
            "dtype": torch.get_default_dtype(),
            "grad": torch.is_grad_enabled(),
            "threads": torch.get_num_threads(),
            "printing": repr(torch.arange(2000.0)),
            "out": sys.stdout,
        }

    before = state()
    results = mini_course.run({"double": vandal})
    after = state()
    plt.close(kept)
    assert {(r.status, r.message) for r in results.values()} == {("pass", "")}
    assert {name for name in before if before[name] != after[name]} == set()


def test_torch_has_one_thread_while_answers_are_tested(mini_course):
    mini_course.write_grader(
        """
        import pytest
        import torch

        @pytest.mark.exercise("double")
        def test_it(lab, seed):
            assert False, f"{torch.get_num_threads()}"
        """
    )
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        (result,) = mini_course.run().values()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert "1" in result.message and "2" not in result.message


def test_every_test_starts_from_the_same_random_numbers(mini_course):
    mini_course.write_grader(
        """
        import pytest
        import torch

        @pytest.mark.exercise("double")
        @pytest.mark.parametrize("k", [1, 2])
        def test_it(lab, seed, k):
            assert False, f"{torch.rand(1).item()}"
        """
    )
    torch.manual_seed(99)
    one, two = mini_course.run().values()
    (other, _) = mini_course.run(seed=5).values()
    assert one.message == two.message != other.message


@pytest.mark.parametrize(
    "attack",
    [
        "import builtins; builtins.abs = lambda x: 0",
        "import torch; torch.allclose = lambda *a, **k: True",
        "import torch; torch.testing.assert_close = lambda *a, **k: None",
        "import common.course.checking.explain as e; e.status_of = lambda *a: ('pass', '')",
        "import common.course.base.results as r; r.Result = None",
        "import pytest; pytest.approx = lambda x: x",
        "import common.evaluation.image as i; i.psnr = lambda *a, **k: 99.0",
    ],
)
@pytest.mark.parametrize("when", ["cell", "call"])
def test_replacing_a_tool_of_the_tests_earns_nothing(mini_course, attack, when):
    body = (
        f"{attack}\ndef double(x): return 2 * x"
        if when == "cell"
        else f"def double(x):\n    {attack}\n    return 2 * x"
    )
    import common.evaluation.image  # noqa: F401  the library that a grader uses is loaded before the answer runs

    results = mini_course.run({"double": body}, "double")
    assert {r.status for r in results.values()} == {"fail"}
    assert "the tests need the original" in results["test_double_of_three"].message
    assert abs(-1) == 1 and not torch.allclose(torch.zeros(1), torch.ones(1))


def test_every_watched_module_is_there():
    """A module that was moved would be watched no more, and nothing else would say so."""
    for name in guards.MACHINE:
        importlib.import_module(f"common.course.{name}")


def test_importing_more_of_torch_is_no_tampering(mini_course):
    modules = "torch.testing, torch.fx, torch.nn.utils.parametrize, numpy.testing"
    source = f"def double(x):\n    import {modules}\n    return 2 * x"
    assert {r.status for r in mini_course.run({"double": source}, "double").values()} == {"pass"}
