"""The seal of a worker: what the verdicts rest on stays as it was, also where every name stays what it was."""

import sys
import types

import pytest

from common.course.grading.seal import seal

TESTS = """
def near(got, want, *, tolerance=1e-5):
    return abs(got - want) <= tolerance

def twice(x, factor=2.0):
    return factor * x

class Judge:
    def fair(self, value, least=0.5):
        return value >= least
"""


@pytest.fixture
def module(monkeypatch):
    """A module of tests."""
    made = types.ModuleType("test_of_the_seal")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    exec(TESTS, vars(made))
    return made


def widen(module):
    module.near.__kwdefaults__["tolerance"] = 1e30


def replace_defaults(module):
    module.twice.__defaults__ = (0.0,)


def change_a_method(module):
    module.Judge.fair.__defaults__ = (-1.0,)


def add_a_default(module):
    module.near.__kwdefaults__["want"] = 0


@pytest.mark.parametrize("change", [widen, replace_defaults, change_a_method, add_a_default])
def test_default_values_are_watched(module, change):
    broken = seal(module)
    assert broken() == ""
    change(module)
    assert "defaults of test_of_the_seal" in broken()
