"""What the graders' toolkit notices: inputs that an answer changed, infinities, nested values, the order of events."""

import math
from dataclasses import dataclass

import pytest

from common.course.graders import Call, anything, each, integers, mapping, number, record, stand_ins
from common.course.graders.comparing import same


@dataclass(frozen=True)
class Clip:
    name: str


@pytest.mark.parametrize("given", [[3, 1, 2], ["b", "a"], [Clip("b"), Clip("a")], [[2], [1]]], ids=str)
def test_a_list_that_an_answer_turned_around_is_noticed(given):
    call = Call("last", gives=anything(), parameters=("items",))
    with pytest.raises(AssertionError, match="changed the items"):
        call(lambda items: items.reverse(), given)
    call(lambda items: items[::-1], given)


def test_only_infinity_is_infinite():
    assert same(math.inf, math.inf)
    assert not same(100.0, math.inf) and not same(math.inf, 100.0) and not same(-math.inf, math.inf)
    assert same([math.nan, 1.0], [math.nan, 1.0])


def test_nested_values_are_compared_part_by_part():
    runs = [(0, [3]), (24, [30, 31])]
    assert same([[0, [3]], (24, [30, 31])], runs)
    assert not same([(0, [3]), (24, [30])], runs) and not same(runs[:1], runs) and not same(None, runs)
    assert not same({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0})  # the order of keys counts


def test_lists_and_dictionaries_of_a_kind():
    pairs = each(record("tuple", start=number(whole=True), frames=integers()))
    assert Call("pairs", gives=pairs)(lambda: [(0, [1, 2])]).value == [(0, [1, 2])]
    with pytest.raises(AssertionError, match=r"frames of entry 1 .* plain list"):
        Call("pairs", gives=pairs)(lambda: [(0, [1]), (2, (3,))])
    call = Call("times", gives=mapping(number(), keys="names"), sizes=lambda given: {"names": given["names"]})
    assert call(lambda names: dict.fromkeys(names, 0.5), ["b", "a"])["a"].value == 0.5
    with pytest.raises(AssertionError, match="in this order"):
        call(lambda names: dict.fromkeys(sorted(names), 0.5), ["b", "a"])


def test_the_clock_keeps_one_log_of_looks_and_tasks():
    clock = stand_ins.Clock(now=0.0, tick=0.5)
    task = clock.task("read", 9.0, 2.0, 3.0, does=lambda clip: -clip)
    first = [task(n) for n in (4, 5)]
    assert first == [-4, -5] and clock() == 11.5 and task(6) == -6 and clock() == 15.0 and task(7) == -7
    assert clock.now == 18.0 and clock.looks == 2 and clock.calls == [("read", n) for n in (4, 5, 6, 7)]
    assert clock.log[2] == ("clock",)
