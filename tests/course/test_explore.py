"""The slider of the tutorials: one value to move, and all its positions where no slider can live."""

import ipywidgets
import pytest

from common.course.explore import explore


@pytest.fixture
def shown(monkeypatch):
    """What `display` was given."""
    seen = []
    for place in ("IPython.display.display", "ipywidgets.widgets.interaction.display"):
        monkeypatch.setattr(place, lambda *things: seen.extend(things))
    return seen


def test_a_built_page_holds_every_position_in_order(shown, monkeypatch):
    monkeypatch.setenv("FLIPBOOK_STRICT", "1")
    explore(lambda fps: f"at {fps}", fps=[24, 12, 8])
    assert [thing for thing in shown if isinstance(thing, str)] == ["at 24", "at 12", "at 8"]
    titles = [thing.data for thing in shown if not isinstance(thing, str)]
    assert titles == ["**fps = 24**", "**fps = 12**", "**fps = 8**"]


def test_a_live_page_has_one_slider_and_draws_where_it_stands(shown, monkeypatch):
    monkeypatch.delenv("FLIPBOOK_STRICT", raising=False)
    drawn = []
    explore(lambda fps: drawn.append(fps), fps=[24, 12, 8])
    [widget] = [thing for thing in shown if isinstance(thing, ipywidgets.Widget)]
    [slider] = [child for child in widget.children if isinstance(child, ipywidgets.SelectionSlider)]
    assert slider.options == (24, 12, 8) and drawn == [24]
    slider.value = 8
    assert drawn == [24, 8]


@pytest.mark.parametrize(
    "draw, choices, said",
    [
        (lambda fps: None, {}, "one name"),
        (lambda fps: None, {"fps": []}, "one name"),
        (lambda fps, size: None, {"fps": [1], "size": [2]}, "one name"),
        (lambda fps, zoom=2: None, {"fps": [1]}, "zoom"),
        (lambda rate: None, {"fps": [1]}, "rate"),
    ],
)
def test_anything_but_one_value_is_refused(draw, choices, said):
    with pytest.raises(ValueError, match=said):
        explore(draw, **choices)
