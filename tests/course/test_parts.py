"""An exchange reaches every name of the library that holds a part, and leaves nothing of itself behind."""

import contextlib
import sys
import types

import pytest

from common.course.base.parts import exchange


@pytest.fixture
def load(monkeypatch):
    """`load(name, **names)`: a module that is loaded now, with these names in it."""

    def make(name, **names):
        module = types.ModuleType(name)
        vars(module).update(names)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return make


def test_every_name_in_the_library_is_exchanged_and_no_other(load):
    old, new = object(), object()
    home, user = load("common.tiny", part=old), load("common.tiny_users", same=old, other=1)
    machine, stranger = load("common.course.tiny", part=old), load("elsewhere", part=old)
    with contextlib.ExitStack() as undo:
        exchange([(old, new)], undo)
        assert (home.part, user.same, user.other) == (new, new, 1)
        assert machine.part is old and stranger.part is old
    assert home.part is old and user.same is old


def test_a_module_loaded_meanwhile_is_put_right(load):
    old, new = object(), object()
    home = load("common.tiny", part=old)
    with contextlib.ExitStack() as undo:
        exchange([(old, new)], undo)
        late = load("common.late", part=home.part)
    assert late.part is old


@pytest.mark.parametrize("together", [True, False])
def test_two_parts_exchanged_for_one_object_come_back_each_to_its_own_name(load, together):
    first, second, new = object(), object(), object()
    home = load("common.tiny", first=first, second=second)
    pairs = [(first, new), (second, new)]
    with contextlib.ExitStack() as undo:
        for some in [pairs] if together else [[pair] for pair in pairs]:
            exchange(some, undo)
        assert home.first is home.second is new
    assert home.first is first and home.second is second
