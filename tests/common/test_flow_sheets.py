"""Film beside its flow: what is on the sheet is what was given, and the stripes of the aperture problem are exact."""

import matplotlib
import numpy as np
import torch

from common.data.stripes import sliding_stripes
from common.show import flow_to_color
from common.show.flow_sheets import beside_its_flow, draw_reach, flow_rows, painted, picture, plain_motions

RIGHT = torch.tensor([3.0, 0.0]).reshape(1, 2, 1, 1).expand(1, 2, 40, 60)


def test_a_picture_is_the_first_of_its_batch():
    images = torch.stack([torch.full((3, 4, 5), 1.0), torch.full((3, 4, 5), -1.0)])
    assert picture(images).shape == (4, 5, 3) and (picture(images) == 255).all()


def test_the_wheel_covers_one_corner_and_the_flow_the_rest():
    plain, with_wheel = flow_to_color(RIGHT[0], max_flow=3), painted(RIGHT, 3.0, flow_to_color)
    assert (with_wheel[:30] == plain[:30]).all() and (with_wheel[:, :50] == plain[:, :50]).all()
    assert with_wheel[35, 58, 0] > 200 > with_wheel[35, 51, 0]  # red to the right in the wheel, cyan to the left
    assert tuple(with_wheel[35, 51]) != tuple(plain[0, 0])


def test_every_row_of_flows_has_a_scale_of_its_own():
    images = {name: torch.zeros(1, 3, 40, 60) for name in ("slow", "fast")}
    flows = {"slow": {"a": RIGHT, "b": RIGHT}, "fast": {"a": 9 * RIGHT, "b": 9 * RIGHT}}
    shares, told = flow_rows(images, flows, flow_to_color), []
    flow_rows(images, flows, lambda flow, max_flow: told.append(max_flow) or flow_to_color(flow, max_flow=max_flow))
    assert told[::2] == [3.0, 3.0, 27.0, 27.0]  # each flow, then its wheel
    assert shares.width > 3 * 190


def test_a_clip_beside_its_flow_has_one_frame_less_and_twice_the_width():
    clip = torch.rand(3, 5, 8, 12) * 2 - 1
    pair = beside_its_flow(clip, lambda first, second: torch.zeros(1, 2, 8, 12), flow_to_color, max_flow=2)
    assert torch.equal(pair[..., :12], clip[:, :-1]) and (pair[..., 12:] == 1).all()  # no motion is white


def test_the_plain_motions_point_where_they_say():
    motions = plain_motions(9, 13)
    assert set(motions) == {
        "the wheel itself: outwards",
        "turned clockwise",
        "zoomed into",
        "shifted to the upper left",
    }
    assert (motions["shifted to the upper left"] < 0).all()
    assert motions["turned clockwise"][1, 4, -1] > 0  # on the right a clockwise turn goes down
    assert motions["zoomed into"][0, 4, -1] > 0 > motions["zoomed into"][0, 4, 0]


def test_stripes_slide_without_a_trace_along_themselves():
    across, along = sliding_stripes(0, 2.0), sliding_stripes(90, 2.0)
    assert torch.allclose(across[..., 2:], sliding_stripes(0, 0.0)[..., :-2], atol=1e-5)
    assert torch.equal(along, sliding_stripes(90, 0.0)) and not torch.equal(across, sliding_stripes(0, 0.0))


def test_the_reach_is_drawn_as_measured():
    matplotlib.use("agg")
    [axis] = draw_reach(np.array([1.0, 2.0]), [torch.tensor([0.0, 2.0]), torch.tensor([3.0, 3.0])], "reach").axes
    assert axis.lines[1].get_ydata().tolist() == [1.0, 3.0] and axis.get_title() == "reach"
