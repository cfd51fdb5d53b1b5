"""The frame between two frames: its parts, the baselines and the network."""

import subprocess
import sys
import types

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from common.flow import (
    average_frames,
    dis_between,
    expected_motion,
    fill_in,
    fuse,
    halve,
    load_film,
    matching_cost,
    minterpolate,
    warp_to_time,
)
from common.models.interpolator import PRESETS, FeaturePyramid, Interpolator, enlarged


def noise(seed, *size, dtype=torch.float32):
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def smooth(seed, *size):
    """Noise whose waves are 8 pixels and longer, `(B, C, H, W)`."""
    batch, channels, height, width = size
    small = noise(seed, batch, channels, height // 4 + 3, width // 4 + 3)
    return F.interpolate(small, scale_factor=4, mode="bicubic")[..., :height, :width].clamp(-1, 1)


def sliding(seed, dx, dy, size=(48, 64)):
    """First, middle and last picture of a texture that moves by `(2 dx, 2 dy)` whole pixels, `(1, 3, H, W)` each."""
    height, width = size
    canvas = smooth(seed, 1, 3, height + 32, width + 32)
    return [canvas[..., 16 - k * dy : 16 - k * dy + height, 16 - k * dx : 16 - k * dx + width] for k in (-1, 0, 1)]


def every_pixel(u, v, like):
    return torch.tensor([u, v], dtype=like.dtype).reshape(1, 2, 1, 1).expand(len(like), 2, *like.shape[-2:])


# ------------------------------------------------------------------------------------------------ the parts


@pytest.mark.parametrize("time", [0.0, 0.25, 0.5, 1.0])
def test_an_even_motion_meets_itself_at_every_moment(time):
    """Both ends, warped by a constant motion and its reverse, are the same picture away from the border."""
    first, _, last = sliding(0, 2, -1)
    forward = every_pixel(4.0, -2.0, first)
    warped = warp_to_time(first, last, forward, -forward, time)
    inner = (..., slice(8, -8), slice(8, -8))
    if time in (0, 0.5, 1):  # whole pixels: nothing is mixed
        assert torch.allclose(warped[0][inner], warped[1][inner], atol=1e-4)
    assert (warped[0] - warped[1])[inner].abs().mean() < (first - last)[inner].abs().mean() / 5


def test_fusing_is_a_mean_whose_weights_are_visibility_and_time():
    a, b = noise(0, 2, 3, 5, 7), noise(1, 2, 3, 5, 7)
    seen = [(noise(k, 2, 1, 5, 7) + 1) / 2 for k in (2, 3)]
    out = fuse(a, b, *seen, 0.3)
    assert (out <= torch.maximum(a, b) + 1e-6).all() and (out >= torch.minimum(a, b) - 1e-6).all()
    assert torch.allclose(fuse(a, a, *seen, 0.3), a, atol=1e-6)
    assert torch.allclose(out, fuse(b, a, *seen[::-1], 0.7), atol=1e-6)  # the same, told backwards
    nowhere = torch.zeros(2, 1, 5, 7)
    assert torch.allclose(fuse(a, b, nowhere, nowhere), (a + b) / 2, atol=1e-6)


def test_a_motion_costs_nothing_where_it_happens_and_the_cost_turns_with_time():
    first, _, last = sliding(3, 2, -1)
    cost = matching_cost(first, last, 3)
    mean = cost[..., 8:-8, 8:-8].mean(dim=(0, 2, 3)).reshape(7, 7)
    assert mean.min() == mean[-1 + 3, 2 + 3] < 1e-6  # row dy, column dx
    assert torch.allclose(matching_cost(last, first, 3), cost.flip(1))


def test_matching_cost_is_what_unfold_says():
    first, last = noise(0, 2, 5, 6, 9), noise(1, 2, 5, 6, 9)
    stacks = [F.unfold(F.pad(x, (2, 2, 2, 2), mode="replicate"), 5).reshape(2, 5, 25, 6, 9) for x in (first, last)]
    assert torch.allclose(matching_cost(first, last, 2), (stacks[0].flip(2) - stacks[1]).abs().mean(dim=1), atol=1e-6)


def test_the_expected_motion_is_the_cheapest_one_or_none():
    cost = torch.ones(2, 25, 6, 8)
    assert expected_motion(cost, 50.0).abs().max() < 1e-5  # all alike: no motion
    cost[:, 1 * 5 + 4] = 0  # dy = -1, dx = 2
    assert torch.allclose(expected_motion(cost, 50.0), every_pixel(2.0, -1.0, cost), atol=1e-4)
    picture = smooth(1, 1, 3, 24, 32)
    assert expected_motion(matching_cost(picture, picture, 2), 100.0).abs().max() < 1e-4


def test_halving_twice_fills_in_a_straight_line():
    first, last = noise(0, 2, 3, 4, 5), noise(1, 2, 3, 4, 5)
    clip = fill_in(average_frames, first, last, 2)
    assert clip.shape == (2, 3, 5, 4, 5)
    for k in range(5):
        assert torch.allclose(clip[:, :, k], torch.lerp(first, last, k / 4), atol=1e-6)
    assert fill_in(average_frames, first, last, 0).shape[2] == 2


@pytest.mark.parametrize(
    "call",
    [
        lambda a, f: warp_to_time(a, a, f, f, 1.1),
        lambda a, f: warp_to_time(a, a[:1], f, f),
        lambda a, f: warp_to_time(a, a, f[..., :8], f[..., :8]),
        lambda a, f: fuse(a, a, a, a[:, :1]),
        lambda a, f: fuse(a, a, a[:, :1], a[:, :1], -0.1),
        lambda a, f: matching_cost(a, a, -1),
        lambda a, f: matching_cost(a[0], a[0], 1),
        lambda a, f: minterpolate(a[:, :1], a[:, :1]),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(ValueError):
        call(torch.zeros(2, 3, 6, 9), torch.zeros(2, 2, 6, 9))


# ------------------------------------------------------------------------------------------------ the baselines


def test_a_flow_between_is_nearer_to_the_truth_than_the_mean():
    pytest.importorskip("cv2", reason="OpenCV comes with the extra `course`")
    first, middle, last = sliding(5, 3, 1)
    inner = (..., slice(8, -8), slice(8, -8))
    off = {name: (between(first, last) - middle)[inner].abs().mean() for name, between in
           {"mean": average_frames, "dis": dis_between}.items()}  # fmt: skip
    assert off["dis"] < off["mean"] / 3
    assert torch.allclose(dis_between(first, last, 0.0), first, atol=0.02)


def test_ffmpegs_filter_gives_each_pair_its_own_middle():
    pytest.importorskip("imageio_ffmpeg", reason="it brings ffmpeg, and comes with the extra `course`")
    moments = [sliding(seed, 2, 0) for seed in (1, 2, 3)]
    first, middle, last = (torch.cat([moment[k] for moment in moments]) for k in range(3))
    made = minterpolate(first, last)
    inner = (..., slice(8, -8), slice(8, -8))
    assert made.shape == first.shape and made.dtype == first.dtype
    for k in range(3):
        off = [(made[k] - other)[inner].abs().mean() for other in middle]
        assert int(torch.stack(off).argmin()) == k
        assert off[k] < (average_frames(first, last)[k] - middle[k])[inner].abs().mean()
    assert (minterpolate(first, first) - first).abs().mean() < 0.01  # its own colours cost a level or so


def test_film_says_what_to_download_and_where_it_belongs(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"https://\S+film_net_fp32\.pt") as caught:
        load_film()
    assert str(tmp_path / "checkpoints" / "film_net_fp32.pt") in str(caught.value)


class Blend(torch.nn.Module):
    """What FILM's TorchScript file looks like from outside: pictures in [0, 1], times `(B, 1)`."""

    def forward(self, x0: torch.Tensor, x1: torch.Tensor, dt: torch.Tensor) -> torch.Tensor:
        assert x0.shape[2] % 64 == 0 and x0.shape[3] % 64 == 0
        assert float(x0.min()) >= 0
        weight = dt[:, :, None, None]
        return x0 * (1 - weight) + x1 * weight


def test_a_torchscript_file_is_run_as_film(tmp_path):
    torch.jit.script(Blend()).save(str(tmp_path / "film_net_fp32.pt"))
    between = load_film(tmp_path / "film_net_fp32.pt")
    first, last = noise(0, 2, 3, 30, 70), noise(1, 2, 3, 30, 70)
    assert torch.allclose(between(first, last), (first + last) / 2, atol=1e-5)
    assert torch.allclose(between(first, last, 0.25), torch.lerp(first, last, 0.25), atol=1e-5)


def test_a_saved_model_is_run_by_tensorflow_where_it_is_there(tmp_path, monkeypatch):
    (tmp_path / "saved_model.pb").touch()
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match="pip install tensorflow"):
        load_film(tmp_path)

    def load(folder):
        def network(inputs, training):
            assert not training and inputs["time"].shape == (2, 1) and inputs["x0"].shape == (2, 64, 128, 3)
            return {"image": types.SimpleNamespace(numpy=lambda: (inputs["x0"] + inputs["x1"]) / 2)}

        return network

    stand_in = types.SimpleNamespace(saved_model=types.SimpleNamespace(load=load), convert_to_tensor=np.asarray)
    monkeypatch.setitem(sys.modules, "tensorflow", stand_in)
    first, last = noise(0, 2, 3, 30, 70), noise(1, 2, 3, 30, 70)
    assert torch.allclose(load_film(tmp_path)(first, last), (first + last) / 2, atol=1e-5)


def test_importing_the_library_loads_no_other_one():
    code = "import sys, common.flow, common.models.interpolator\nsys.exit(bool({'cv2', 'tensorflow'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# ------------------------------------------------------------------------------------------------ the network


@pytest.mark.parametrize(("preset", "count"), [("ci", 52_722), ("cpu", 245_746), ("gpu", 1_324_202)])
def test_parameter_counts(preset, count):
    assert sum(p.numel() for p in Interpolator(**PRESETS[preset]).parameters()) == count


def fresh(seed=0, **changes):
    torch.manual_seed(seed)
    return Interpolator(**{**PRESETS["ci"], **changes}).eval()


@torch.no_grad()
def trained(seed=0, **changes):
    """Weights as after some training: nothing is zero."""
    model = fresh(seed, **changes)
    for p in model.parameters():
        p.add_(0.02 * noise(seed, *p.shape) if p.ndim else 0)
    return model


@torch.no_grad()
def test_a_fresh_model_is_a_block_matcher():
    """Equal pictures come back; exchanging them changes nothing; a small motion is found, with no training at all."""
    model, picture = fresh(), smooth(0, 2, 3, 40, 56)
    assert torch.allclose(model(picture, picture), picture, atol=1e-3)
    first, middle, last = sliding(2, 1, 1)
    assert torch.allclose(model(first, last), model(last, first), atol=1e-4)
    parts = model.explain(first, last)
    assert torch.equal(parts["visible_first"] > 0, parts["visible_first"] == 0.5)
    inner = (..., slice(8, -8), slice(8, -8))
    off = [(p - middle)[inner].square().mean() for p in (parts["middle"], average_frames(first, last))]
    assert off[0] < off[1] / 2
    assert (parts["to_last"][inner].mean(dim=(0, 2, 3)) > 0.3).all()  # it moves by (1, 1) to either side


@torch.no_grad()
def test_what_stands_still_comes_back_whatever_was_learned():
    """Corrections act where both sides differ: with any weights, equal pictures give that picture."""
    picture = smooth(0, 2, 3, 40, 56)
    assert torch.allclose(trained()(picture, picture), picture, atol=1e-3)


@torch.no_grad()
def test_any_size_is_padded_and_cut_again():
    model = trained()
    first, last = noise(0, 2, 3, 33, 50), noise(1, 2, 3, 33, 50)
    assert model(first, last).shape == first.shape
    padded = [F.pad(x, (0, 2, 0, 3), mode="replicate") for x in (first, last)]
    assert torch.equal(model(first, last), model(*padded)[..., :33, :50])
    with pytest.raises(ValueError, match="2, 1, 8, 8"):
        model(torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 8, 8))


@torch.no_grad()
def test_samples_of_a_batch_do_not_meet():
    model = trained()
    first, last = noise(0, 3, 3, 24, 32), noise(1, 3, 3, 24, 32)
    assert torch.allclose(model(first, last)[1:2], model(first[1:2], last[1:2]), atol=1e-5)


@torch.no_grad()
def test_the_pyramid_is_one_eye_for_all_scales():
    torch.manual_seed(0)
    pyramid, picture = FeaturePyramid([5, 7], 4), noise(0, 2, 3, 32, 48)
    whole, half = pyramid(picture), pyramid(halve(picture))
    assert [tuple(level.shape) for level in whole] == [(2, 12, 16, 24), (2, 12, 8, 12), (2, 12, 4, 6)]
    assert all(torch.allclose(whole[k], half[k - 1], atol=1e-6) for k in (1, 2))


@torch.no_grad()
def test_weights_run_with_more_levels_than_they_were_trained_with(tmp_path):
    model = trained()
    model.save_pretrained(tmp_path)
    same, deeper = (Interpolator.from_pretrained(tmp_path, **changes).eval() for changes in ({}, {"num_levels": 5}))
    first, last = noise(0, 1, 3, 48, 64), noise(1, 1, 3, 48, 64)
    assert torch.equal(model(first, last), same(first, last))
    assert deeper.config.num_levels == 5 and not torch.equal(model(first, last), deeper(first, last))


def test_enlarged_flows_point_as_far_in_the_larger_picture():
    flows = noise(0, 2, 4, 5, 7)
    assert torch.equal(enlarged(flows, (5, 7)), flows)
    constant = torch.tensor([1.0, 2.0, -3.0, 0.5]).reshape(1, 4, 1, 1).expand(2, 4, 5, 7)
    longer = torch.tensor([3.0, 4.0, -9.0, 1.0]).reshape(1, 4, 1, 1)
    assert torch.allclose(enlarged(constant, (10, 21)), longer.expand(2, 4, 10, 21))


def test_every_part_learns():
    model = fresh().train()
    first, middle, last = sliding(4, 2, 1, size=(24, 32))
    with torch.no_grad():
        for layer in (model.motion.flows_out, model.refiner.pixels_out):
            layer.weight.normal_(std=0.01)
    (model(first, last) - middle).square().mean().backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still
