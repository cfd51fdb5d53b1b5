"""Optical flow: what a flow means, how far one is from the truth, and what its colours say."""

import colorsys
import math
import sys
import types

import numpy as np
import pytest
import torch

from common import flow as library
from common.data import Motion, exact_scenes, flow_scene
from common.evaluation import end_point_error
from common.flow import lucas_kanade, lucas_kanade_step, points_inside, warp
from common.flow.gradient import halve, window_average
from common.show import color_wheel, flow_to_color
from common.show.flow_wheel import WHEEL_COLORS, WHEEL_DEGREES


@pytest.fixture
def cv2():
    return pytest.importorskip("cv2", reason="OpenCV comes with the extra `course`")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def every_pixel(u, v, size=(5, 7)):
    return torch.tensor([u, v], dtype=torch.float32).reshape(1, 2, 1, 1).expand(1, 2, *size).clone()


def turned(flow, angle):
    """Each vector of a flow (2, H, W), turned clockwise on screen by so many radians."""
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.einsum("ij,jhw->ihw", torch.tensor([[cos, -sin], [sin, cos]]), flow)


# ------------------------------------------------------------------------------------------------ scenes


@pytest.mark.parametrize("name", exact_scenes(8, 9))
def test_warping_by_the_exact_flow_gives_the_first_frame_back(name):
    """What is visible in both frames looks the same in both: the flow, the frames and the warp agree."""
    scene = exact_scenes(96, 128, seed=2)[name]
    off = (warp(scene.second, scene.flow) - scene.first).abs().mean(dim=1)  # (1, H, W)
    changed = (scene.second - scene.first).abs().mean(dim=1)
    flat = scene.visible & ~_near_an_edge(scene)
    assert off[flat].mean() < changed[flat].mean() / 5
    assert off[flat].max() < 0.3  # what bilinear mixing loses on waves of 8 pixels


def _near_an_edge(scene):
    """Pixels beside a jump of the flow: there the four pixels that are mixed belong to two things."""
    jump = (scene.flow - torch.nn.functional.avg_pool2d(scene.flow, 5, 1, 2, count_include_pad=False)).norm(dim=1)
    return jump > 0.5


def test_exact_scenes_move_as_far_as_they_say():
    for scene in exact_scenes(60, 84, largest=3.0).values():
        longest = scene.flow.norm(dim=1).max().item()
        assert longest <= 3.0 + 1e-4
        assert scene.first.abs().max() <= 1 and scene.second.abs().max() <= 1


def test_a_motion_and_its_reverse_cancel():
    motion = Motion(shift=(3.0, -1.5), turn=11.0, zoom=1.3)
    x, y = torch.randn(2, 50, generator=generator()).double()
    assert torch.allclose(torch.stack(motion.backward(*motion.forward(x, y))), torch.stack([x, y]))
    assert motion.forward(torch.tensor(0.0), torch.tensor(0.0)) == (3.0, -1.5)


def test_a_turn_is_clockwise_on_screen():
    """A quarter turn takes what is on the right to the bottom, because y points down."""
    x, y = Motion(turn=90.0).forward(torch.tensor(1.0), torch.tensor(0.0))
    assert abs(x) < 1e-6 and abs(y - 1) < 1e-6


def test_hidden_are_the_pixels_that_the_disc_covers_or_that_leave_the_picture():
    motion, disc = Motion(), Motion(shift=(5.0, 0.0))
    scene = flow_scene(40, 60, motion, disc=disc, radius=8, generator=generator())
    row = scene.visible[0, 20]  # through the disc: from column 22 to 37 before, from 27 to 42 after
    assert (~row).nonzero().flatten().tolist() == [38, 39, 40, 41, 42] or (~row).sum() == 5
    leaving = flow_scene(20, 30, Motion(shift=(4.0, 0.0)), generator=generator()).visible[0]
    assert not leaving[:, -4:].any() and leaving[:, :-4].all()


# ------------------------------------------------------------------------------------------------ warp


def test_warp_equals_opencv(cv2):
    image, flow = torch.rand(1, 3, 21, 30, generator=generator()), 5 * torch.randn(1, 2, 21, 30, generator=generator(1))
    x = (torch.arange(30.0) + flow[0, 0]).numpy()
    y = (torch.arange(21.0)[:, None] + flow[0, 1]).numpy()
    pixels = np.ascontiguousarray(image[0].permute(1, 2, 0).numpy())
    theirs = cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    ours = warp(image, flow)[0].permute(1, 2, 0).numpy()
    assert np.abs(ours - theirs).max() < 1 / 32  # OpenCV may round a place to a 32nd of a pixel
    assert np.abs(ours - theirs).mean() < 0.01


def test_warp_by_nothing_and_by_whole_pixels():
    image = torch.rand(2, 3, 5, 7, generator=generator())
    assert torch.allclose(warp(image, torch.zeros(2, 2, 5, 7)), image, atol=1e-5)
    moved = warp(image, every_pixel(2, -1).expand(2, -1, -1, -1))
    assert torch.allclose(moved[..., 1:, :-2], image[..., :-1, 2:], atol=1e-5)
    assert torch.allclose(moved[..., 1:, -1], image[..., :-1, -1], atol=1e-5)  # the border is repeated


def test_warp_is_linear_in_the_image_and_differentiable_in_both():
    a, b = torch.rand(2, 1, 2, 6, 5, generator=generator(), dtype=torch.float64)
    flow = torch.randn(1, 2, 6, 5, generator=generator(1), dtype=torch.float64)
    assert torch.allclose(warp(2 * a - 3 * b, flow), 2 * warp(a, flow) - 3 * warp(b, flow))
    inside = every_pixel(0.3, 0.4, (4, 4)).double().requires_grad_()
    image = torch.rand(1, 2, 4, 4, generator=generator(), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(warp, (image, inside))


def test_warp_keeps_16_bits_exact_in_wide_pictures():
    """A bfloat16 image 600 pixels wide: places are counted in float32, or columns beyond 256 would be lost."""
    image = (torch.arange(600) % 7).to(torch.bfloat16).expand(1, 1, 3, 600)
    moved = warp(image, every_pixel(1, 0, (3, 600)))
    assert moved.dtype == torch.bfloat16
    assert torch.allclose(moved[..., :-1].float(), image[..., 1:].float(), atol=0.01)


def test_warp_refuses_what_does_not_fit():
    image = torch.zeros(2, 3, 4, 5)
    for flow in ((2, 2, 5, 4), (1, 2, 4, 5), (2, 3, 4, 5)):
        with pytest.raises(ValueError, match=str(flow[1])):
            warp(image, torch.zeros(flow))
    with pytest.raises(ValueError, match="4, 5"):
        warp(image[0], torch.zeros(1, 2, 4, 5))


def test_points_inside_are_those_that_end_on_a_pixel():
    flow = every_pixel(2.0, 0.0)
    assert points_inside(flow)[0, 0, 0].tolist() == [True] * 5 + [False] * 2
    assert points_inside(-flow)[0, 0, 0].tolist() == [False] * 2 + [True] * 5


# ------------------------------------------------------------------------------------------------ end-point error


def test_the_error_of_no_flow_is_the_mean_length():
    flow = torch.randn(3, 2, 6, 7, generator=generator())
    expected = torch.hypot(flow[:, 0], flow[:, 1]).mean(dim=(1, 2))
    assert torch.allclose(end_point_error(torch.zeros_like(flow), flow), expected)
    assert end_point_error(flow, flow).abs().max() == 0


def test_the_error_is_a_distance():
    """Symmetric, the same in every direction, and never longer by a detour."""
    a, b, c = torch.randn(3, 2, 6, 7, generator=generator())
    assert torch.isclose(end_point_error(a, b), end_point_error(b, a))
    assert torch.isclose(end_point_error(turned(a, 1.1), turned(b, 1.1)), end_point_error(a, b))
    assert end_point_error(a, c) <= end_point_error(a, b) + end_point_error(b, c)


def test_only_valid_pixels_count():
    target = torch.zeros(2, 2, 3, 4)
    flow = torch.full_like(target, math.nan)
    flow[0, :, 0, 0], flow[1, :, :2, :2] = torch.tensor([3.0, 4.0]), 0.0
    valid = ~torch.isnan(flow[:, 0])
    assert end_point_error(flow, target, valid=valid).tolist() == [5.0, 0.0]
    with pytest.raises(ValueError, match="no valid pixel"):
        end_point_error(flow, target, valid=valid & False)


def test_the_error_broadcasts_nothing():
    flow = torch.zeros(3, 2, 4, 5)
    for target, valid in ((flow[:1], None), (flow[..., :1], None), (flow, torch.ones(4, 5, dtype=torch.bool))):
        with pytest.raises(ValueError, match="4"):
            end_point_error(flow, target, valid=valid)


# ------------------------------------------------------------------------------------------------ Lucas–Kanade


@pytest.mark.parametrize("seed", range(3))
def test_the_core_has_at_most_half_the_error_of_no_flow(seed, cv2):
    """The bar of lab 01.3, and beyond: a tenth wherever nothing is hidden; never behind both OpenCV methods there."""
    for name, scene in exact_scenes(72, 96, largest=4.0, seed=seed).items():
        error, nothing = (
            end_point_error(found, scene.flow, valid=scene.visible).item()
            for found in (lucas_kanade(scene.first, scene.second), torch.zeros_like(scene.flow))
        )
        assert error < nothing / 2, name
        if "disc" not in name:
            assert error < nothing / 10, name
        if name in ("turn", "zoom"):
            peers = (method(scene.first, scene.second) for method in (library.farneback, library.dis))
            assert error < min(end_point_error(found, scene.flow, valid=scene.visible).item() for found in peers)


def test_the_step_is_linear_in_the_motion_and_turns_with_the_picture():
    """Transposed pictures have a transposed flow."""
    scene = flow_scene(40, 40, Motion(shift=(0.4, -0.2)), generator=generator())
    flow = lucas_kanade_step(scene.first, scene.second)
    turned = lucas_kanade_step(scene.first.mT, scene.second.mT)
    assert torch.allclose(turned.flip(1).mT, flow, atol=1e-4)


def test_stripes_show_only_the_motion_across_them():
    x = torch.arange(60.0)
    first, second = (torch.cos(0.4 * (x - s)).expand(1, 1, 40, 60) for s in (0.0, 0.5))
    u, v = lucas_kanade_step(first, second)[0, :, 8:-8, 8:-8]
    assert (u - 0.5).abs().max() < 0.02 and v.abs().max() < 1e-3


def test_flat_pictures_do_not_move_and_equal_ones_neither():
    grey = torch.full((2, 3, 24, 31), 0.3)
    assert lucas_kanade(grey, grey + 0.2).abs().max() < 1e-3
    scene = flow_scene(24, 31, Motion(), generator=generator())
    assert lucas_kanade(scene.first, scene.second).abs().max() < 1e-3


def test_repeated_steps_settle_and_do_not_grow():
    """With a window of equal weights they would: eight iterations ended 2 pixels off."""
    scene = flow_scene(96, 128, Motion(shift=(2.3, -1.4)), generator=generator())
    for num_iterations in (4, 8, 16):
        found = lucas_kanade(scene.first, scene.second, num_iterations=num_iterations)
        assert end_point_error(found, scene.flow, valid=scene.visible) < 0.08


def test_each_level_extends_the_reach():
    """A motion that runs away at the larger sizes is followed from a smaller one."""
    for num_levels, distance in ((2, 12.0), (3, 16.0)):
        scene = flow_scene(96, 140, Motion(shift=(distance, 0.0)), finest=10, generator=generator(1))
        short, enough = (
            end_point_error(lucas_kanade(scene.first, scene.second, num_levels=n), scene.flow, valid=scene.visible)
            for n in (num_levels, 4)
        )
        assert enough < 0.2 < 5 < short


def test_the_window_weighs_to_one_and_the_middle_most():
    spot = torch.zeros(1, 2, 15, 19)
    spot[0, 0, 7, 9] = 1.0
    spread = window_average(spot, 5)[0, 0]
    assert abs(spread.sum() - 1) < 1e-5 and spread.argmax() == 7 * 19 + 9
    assert (spread > 0).sum() == 25
    assert torch.allclose(window_average(torch.full((1, 1, 4, 5), 3.0), 9), torch.tensor(3.0))
    with pytest.raises(ValueError, match="4"):
        window_average(spot, 4)


def test_halving_keeps_the_mean_and_rounds_up():
    image = torch.rand(2, 3, 8, 12, generator=generator())
    assert halve(image).shape == (2, 3, 4, 6) and halve(halve(halve(image)))[0].shape == (3, 1, 2)
    assert halve(torch.rand(1, 1, 7, 9)).shape[-2:] == (4, 5)
    assert torch.allclose(halve(torch.full((1, 1, 7, 9), 0.4)), torch.tensor(0.4))


# ------------------------------------------------------------------------------------------------ colour


def hue_of(u, v, max_flow=1.0):
    red, green, blue = flow_to_color(every_pixel(u, v, (1, 1))[0], max_flow=max_flow)[0, 0] / 255
    return colorsys.rgb_to_hsv(red, green, blue)


def test_turning_the_flow_turns_the_hue_once_around():
    """As the motion turns clockwise the hue rises, through each colour once; how long it is does not matter."""
    hues = [hue_of(math.cos(a), math.sin(a))[0] for a in np.linspace(0, 2 * math.pi, 111)[:-1]]
    rises = np.diff(hues)
    assert (rises > 0).all() and hues[0] == 0 and hues[-1] > 0.97
    for angle in (0.3, 2.0, 4.4):
        short, long = hue_of(0.3 * math.cos(angle), 0.3 * math.sin(angle)), hue_of(math.cos(angle), math.sin(angle))
        assert abs(short[0] - long[0]) < 0.01


def test_a_flow_turned_from_corner_to_corner_changes_colour_as_the_wheel_says():
    flow = torch.tensor([1.0, 0.0]).reshape(2, 1, 1)
    for degrees, color in zip(WHEEL_DEGREES, WHEEL_COLORS):
        painted = flow_to_color(turned(flow, math.radians(degrees)), max_flow=1)[0, 0]
        assert np.abs(painted - 255 * np.array(color)).max() <= 1


def test_the_length_is_the_saturation():
    for length in (0.0, 0.2, 0.5, 0.9, 1.0, 3.0):
        _, saturation, value = hue_of(length, 0)
        assert abs(saturation - min(length, 1)) < 0.005 and value == 1


def test_one_scale_for_a_batch_and_white_where_nothing_moves():
    flow = torch.zeros(2, 2, 3, 4)
    assert (flow_to_color(flow) == 255).all()
    flow[0, 0], flow[1, 0] = 1.0, 4.0
    painted = flow_to_color(flow)
    assert painted.shape == (2, 3, 4, 3) and painted.dtype == np.uint8
    assert painted[1, 0, 0].tolist() == [255, 0, 0] and painted[0, 0, 0].tolist() == [255, 191, 191]


def test_what_is_not_known_is_black():
    flow = every_pixel(1.0, 0.0)[0]
    flow[0, 1, 2], flow[1, 3, 4] = math.nan, math.inf
    black = (flow_to_color(flow) == 0).all(axis=-1)
    assert sorted(map(tuple, np.argwhere(black))) == [(1, 2), (3, 4)]


def test_the_wheel_shows_each_direction_where_it_points():
    wheel = color_wheel(61)
    assert wheel[30, 30].tolist() == [255, 255, 255] and (wheel[0, 0] == 255).all()
    red, green, blue = wheel[30, 59].astype(int)  # the right end
    assert red == 255 and green < 40 and blue < 40
    assert color_wheel(1).shape == (1, 1, 3)


# ------------------------------------------------------------------------------------------------ peers


@pytest.mark.parametrize("method", [library.farneback, library.dis], ids=["farneback", "dis"])
def test_opencvs_methods_follow_our_convention(method, cv2):
    scenes = [flow_scene(64, 90, Motion(shift=shift), generator=generator(3)) for shift in ((3.0, -1.0), (-2.0, 2.0))]
    found = method(*(torch.cat([getattr(scene, name) for scene in scenes]) for name in ("first", "second")))
    for flow, scene in zip(found, scenes):
        assert end_point_error(flow, scene.flow[0], valid=scene.visible[0]) < 0.2
    grey = [scenes[0].first.mean(dim=1, keepdim=True), scenes[0].second.mean(dim=1, keepdim=True)]
    assert end_point_error(method(*grey), scenes[0].flow, valid=scenes[0].visible) < 0.2


def test_without_opencv_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match=r"flipbook-video\[course\]"):
        library.farneback(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16))


class FakeRaft(torch.nn.Module):
    """Called as torchvision's RAFT is: two pictures whose sides are multiples of 8, at least 128; a list of flows."""

    def __init__(self):
        super().__init__()
        self.shift = torch.nn.Parameter(torch.zeros(2))

    def forward(self, first, second, num_flow_updates=12):
        assert first.shape == second.shape and min(first.shape[-2:]) >= 128
        assert all(side % 8 == 0 for side in first.shape[-2:])
        flow = self.shift[None, :, None, None].expand(len(first), 2, *first.shape[-2:])
        return [flow * (k + 1) / num_flow_updates for k in range(num_flow_updates)]


@pytest.fixture
def torchvision(tmp_path, monkeypatch):
    """A torchvision with RAFT in it, and an empty folder for its weights."""
    module = types.ModuleType("torchvision.models.optical_flow")
    for name in ("raft_large", "raft_small"):
        weights = types.SimpleNamespace(url=f"https://weights.invalid/models/{name}-0123abcd.pth")
        setattr(module, name, FakeRaft)
        setattr(module, name.title() + "_Weights", types.SimpleNamespace(DEFAULT=weights))
    models = types.ModuleType("torchvision.models")
    models.optical_flow = module
    for name, value in (("", types.ModuleType("torchvision")), (".models", models), (".models.optical_flow", module)):
        monkeypatch.setitem(sys.modules, f"torchvision{name}", value)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def test_raft_without_weights_says_where_they_belong(torchvision):
    with pytest.raises(FileNotFoundError, match=r"raft_small-0123abcd\.pth") as caught:
        library.load_raft("raft_small")
    assert str(torchvision) in str(caught.value) and "load_state_dict_from_url" in str(caught.value)


def test_raft_with_weights_takes_any_size(torchvision):
    torch.save({"shift": torch.tensor([1.5, -2.0])}, torchvision / "raft_large-0123abcd.pth")
    flow = library.load_raft()(torch.zeros(2, 3, 90, 161), torch.zeros(2, 3, 90, 161))
    assert flow.shape == (2, 2, 90, 161) and not flow.requires_grad
    assert torch.allclose(flow, torch.tensor([1.5, -2.0])[:, None, None])  # the last of its updates


def test_raft_without_torchvision_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(ImportError, match="torchvision that belongs to torch"):
        library.load_raft()
    with pytest.raises(ValueError, match="raft_huge"):
        library.load_raft("raft_huge")
