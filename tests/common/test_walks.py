"""Walks go straight at their speed: what is left after a straight line is the noise."""

import torch

from common.data.walks import FASTEST, NOISE, SLOWEST, gliding_bars, straight_walks


def test_a_walk_is_a_straight_line_and_a_little_noise():
    walks = straight_walks(400, 6, torch.Generator().manual_seed(0))
    assert walks.shape == (400, 2, 6)
    time = torch.arange(6.0) - 2.5
    velocity = (walks * time).sum(-1) / time.square().sum()  # least squares
    left = walks - walks.mean(-1, keepdim=True) - velocity[..., None] * time
    assert abs(left.square().sum((0, 2)) / (400 * 4) - NOISE**2).max() < 0.15 * NOISE**2  # 6 places less 2 fitted
    speed = velocity.norm(dim=1)
    assert speed.min() > SLOWEST - 0.1 and speed.max() < FASTEST + 0.1
    assert velocity.mean(0).abs().max() < 0.15  # any way


def test_the_generator_alone_decides():
    draws = [straight_walks(5, 4, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])


def test_a_bar_glides_by_two_pixels_one_way_and_both_ways_occur():
    clips = gliding_bars(40, 5, 8, torch.Generator().manual_seed(0))
    assert clips.shape == (40, 1, 5, 8, 8) and set(clips.unique().tolist()) == {-1.0, 1.0}
    assert ((clips > 0).sum(dim=(3, 4)) == 16).all()  # 2 columns of 8 pixels in every frame
    ways = set()
    for clip in clips:
        moved = [way for way in (2, -2) if torch.equal(clip[:, :-1].roll(way, dims=3), clip[:, 1:])]
        assert moved
        ways.add(moved[0])
    assert ways == {2, -2}
