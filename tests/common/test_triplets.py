"""Triplets of frames to learn interpolation from, and the measures of how well it went."""

import numpy as np
import pytest
import torch

from common.data.film import HELD_OUT
from common.data.triplets import TripletData, film_triplets
from common.evaluation.image import psnr
from common.evaluation.interpolation import motion_size, picture_scores, terciles
from common.flow import matching_cost, warp


def noise(seed, *size):
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def every_pixel(u, v, like):
    return torch.tensor([u, v], dtype=like.dtype).reshape(1, 2, 1, 1).expand(len(like), 2, *like.shape[-2:])


def test_a_training_sample_is_known_by_its_number():
    data = TripletData(32, 8)
    assert torch.equal(data.batch([5, 7]), torch.stack([data.clip(5), data.clip(7)]))
    assert data.batch(range(8)).shape == (8, 3, 3, 32, 32) and data.clip(3).dtype == torch.uint8
    assert not torch.equal(data.clip(5), TripletData(32, 8, seed=1).clip(5))
    assert data.key != TripletData(32, 4).key


@pytest.mark.parametrize(("size", "pan"), [(0, 0), (65, 0), (48, 9), (48, -1)])
def test_training_squares_must_fit(size, pan):
    with pytest.raises(ValueError):
        TripletData(size, pan)


def test_without_a_pan_still_things_stay_and_with_one_all_moves_evenly():
    """Of samples in which nothing moves by itself, the panned ones match under one constant whole motion."""
    quiet = TripletData(40, 0)
    panned = TripletData(40, 8)
    found = 0
    for index in range(0, 60):
        still, moved = quiet.clip(index).float(), panned.clip(index).float()
        if (still[:, 0] - still[:, 2]).abs().mean() > 2 or (moved[:, 0] - moved[:, 2]).abs().mean() < 6:
            continue
        first, middle, last = moved.unbind(dim=1)
        costs = matching_cost(first[None], last[None], 8)[..., 10:-10, 10:-10].mean(dim=(0, 2, 3))
        dy, dx = divmod(int(costs.argmin()), 17)
        flow = every_pixel(float(dx - 8), float(dy - 8), middle[None])
        inner = (..., slice(10, -10), slice(10, -10))
        assert (warp(last[None], flow)[0] - middle)[inner].abs().mean() < 4
        found += 1
    assert found >= 2


def test_triplets_of_the_film_are_its_frames():
    from common.data import clip_path
    from common.video import read_frames

    found = film_triplets(("leap",), (2,), height=48, every=10)
    assert len(found) == len(found.frames) == len(found.pixels)
    k = 2
    frame = found.frames[k]
    frames = read_frames(clip_path("leap"), [frame - 2, frame, frame + 2], size=48)
    assert np.array_equal(found.pixels[k].permute(1, 2, 3, 0).numpy(), frames)
    _, middle, _ = found.pictures([k])
    assert torch.allclose((middle[0] + 1) * 127.5, found.pixels[k, :, 1].float(), atol=1e-3)
    with pytest.raises(ValueError, match="apart"):
        film_triplets(("leap",), (40,))


def test_no_training_sample_comes_from_a_held_out_shot():
    from common.data.film import FilmData

    names = {FilmData("train", 3, 64, 0).window(index).shot.name for index in range(300)}
    assert not names & set(HELD_OUT) and len(names) == 12


def test_scores_are_those_of_each_picture():
    a, b = noise(0, 3, 3, 12, 14), noise(1, 3, 3, 12, 14)
    scores = picture_scores(a, b)
    assert scores["psnr"].shape == scores["ssim"].shape == (3,)
    assert torch.isclose(scores["psnr"][1], psnr(a[1], b[1], data_range=2.0))
    equal = picture_scores(a, a)
    assert equal["ssim"].min() > 0.9999 and equal["psnr"].tolist() == [60.0] * 3  # counted up to here, and finite


def test_motion_is_measured_over_the_way_through_the_middle():
    picture = torch.zeros(2, 3, 8, 8)

    def flow(a, b):
        return every_pixel(3.0, 4.0, a) if a is first else every_pixel(0.0, -2.0, a)

    first, middle, last = picture, picture.clone(), picture.clone()
    assert torch.allclose(motion_size(first, middle, last, flow), torch.tensor([7.0, 7.0]))


def test_thirds():
    values = torch.tensor([5.0, 1.0, 9.0, 2.0, 7.0, 3.0, 8.0])
    third = terciles(values)
    assert third.tolist() == [1, 0, 2, 0, 1, 0, 2]
    with pytest.raises(ValueError):
        terciles(torch.zeros(2))
