"""What the plots that labs share draw: each value where it belongs, one colour per name, one scale for all maps."""

import pytest
import torch

pytest.importorskip("matplotlib", reason="plots come with the extra `course`")

from common.show.curves import COLORS, Bands, draw_bands, draw_curves, draw_trends
from common.show.maps import draw_maps


def test_each_curve_has_its_name_its_places_and_a_colour():
    figure = draw_curves({"a": [3, 1, 2], "b": ([0, 5], [1.0, 4.0])}, "two", xlabel="frame", yscale="log", ticks=[0, 5])
    (axis,) = figure.axes
    assert [line.get_label() for line in axis.lines] == ["a", "b"]
    assert [line.get_color() for line in axis.lines] == list(COLORS[:2])
    assert list(axis.lines[0].get_xdata()) == [0, 1, 2] and list(axis.lines[1].get_xdata()) == [0, 5]
    assert list(axis.lines[1].get_ydata()) == [1.0, 4.0]
    assert axis.get_title() == "two" and axis.get_xlabel() == "frame" and axis.get_yscale() == "log"
    assert list(axis.get_xticks()) == [0, 5] and axis.get_legend() is not None
    assert draw_curves({"a": [1, 2]}, "one", legend=None).axes[0].get_legend() is None


def test_the_line_through_a_cloud_is_the_mean_of_equally_full_bins():
    places = torch.tensor([8.0, 1, 4, 2])
    figure = draw_trends(places, {"one": ("dB", {"a": places * 10}), "two": ("x", {"a": places})}, "px", num_bins=2)
    first, second = figure.axes
    assert list(first.lines[0].get_xdata()) == [1, 4]  # the lower median of 1, 2 and of 4, 8
    assert list(first.lines[0].get_ydata()) == [15, 60] and list(second.lines[0].get_ydata()) == [1.5, 6]
    assert first.get_xscale() == "log" and first.get_ylabel() == "dB" and second.get_title() == "two"
    assert len(first.collections[0].get_offsets()) == 4


def test_maps_count_from_the_middle_or_by_name_and_share_a_scale():
    one, two = torch.arange(15.0).reshape(3, 5), torch.ones(3, 5)
    figure = draw_maps({"one": one, "two": two}, mark=(2, 0), ylabel="dy")
    left, right = figure.axes
    assert list(left.images[0].get_extent()) == [-2.5, 2.5, 1.5, -1.5]
    assert torch.equal(torch.tensor(left.images[0].get_array().data), one)
    assert [list(line) for line in left.lines[0].get_xydata()] == [[2, 0]]
    assert left.get_ylabel() == "dy" and right.get_ylabel() == "" and left.get_title() == "one"
    figure = draw_maps({"one": one, "two": two}, columns="abcde", rows="xyz", colorbar="clips", most=20)
    assert {image.get_clim() for axis in figure.axes[:2] for image in axis.images} == {(0, 20)}
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == list("abcde")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list("xyz")


def test_a_band_reaches_from_the_worst_run_to_the_best_and_the_line_is_their_mean():
    panel = Bands("modes", {"a": ([0, 5], [[1.0, 4.0], [3.0, 8.0]]), "b": ([0, 5], [[2.0, 2.0]])}, {"b": ([0], [7.0])})
    figure = draw_bands({"left": panel, "right": Bands("recall", panel.runs, level=("the world", 9.0))}, "step")
    left, right = figure.axes[:2]
    assert [line.get_label() for line in left.lines] == ["a, mean of 2", "b, mean of 1", "b, your run"]
    assert left.lines[0].get_ydata().tolist() == [2, 6] and list(left.lines[2].get_ydata()) == [7]
    corners = left.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == 1 and corners[:, 1].max() == 8
    assert right.lines[-1].get_ydata()[0] == 9 and right.get_ylabel() == "recall" and left.get_title() == "left"
