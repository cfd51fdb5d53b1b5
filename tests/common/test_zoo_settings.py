"""A setting of a measurement is chosen by its name; another name is refused with those there are."""

import pytest

from common.zoo.settings import pick_setting


def test_a_setting_gives_its_value():
    assert pick_setting({"small": (8, 2), "full": (96, 4)}, "full") == (96, 4)


def test_another_name_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="the setting is one of small, full; got 'medium'"):
        pick_setting({"small": 8, "full": 96}, "medium")
