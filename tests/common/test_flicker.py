"""Flicker: no change of error where a thing takes its error with it, the noise's own where every frame has new."""

import math

import pytest
import torch

from common.data.sprites import SpriteData
from common.evaluation.flicker import change_of_error, noise_response
from common.evaluation.reconstruction import mean_frame
from common.flow.warping import warp


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def change(error, *along):
    """The change of this error, in units of the error."""
    return change_of_error(1 + error, torch.ones_like(error), *along, data_range=255)


def test_a_constant_error_does_not_change_and_fresh_noise_changes_by_its_own():
    assert change(noise(2, 3, 1, 8, 9).expand(2, 3, 5, 8, 9)).tolist() == [0, 0]
    found = change(noise(3, 3, 6, 40, 41))
    assert found == pytest.approx([2 / math.pi**0.5] * 3, rel=0.03)  # E |a - b| of two standard normal numbers


def test_what_moves_with_the_flow_does_not_change():
    first = noise(2, 3, 12, 14)
    clip = torch.stack([first.roll((t, -2 * t), dims=(2, 3)) for t in range(4)], dim=2)  # down 1, left 2
    flow = torch.tensor([-2.0, 1.0]).reshape(1, 2, 1, 1, 1).expand(2, 2, 3, 12, 14)
    inside = torch.zeros(2, 3, 12, 14, dtype=torch.bool)
    inside[:, :, :-1, 2:] = True  # where it ends inside the picture
    assert change(clip, flow, inside).abs().max() < 1e-4
    assert change(clip, None, inside).min() > 0.5
    assert change(clip, -flow, inside).min() > 0.5


def test_each_pair_of_frames_follows_its_own_flow_and_hidden_places_do_not_count():
    values, flow = noise(2, 3, 4, 10, 9), noise(2, 2, 3, 10, 9)
    visible = noise(2, 3, 10, 9) > 0
    wanted = []
    for b in range(2):
        pairs = [(warp(values[b : b + 1, :, t + 1], flow[b : b + 1, :, t]) - values[b : b + 1, :, t])[0]
                 for t in range(3)]  # fmt: skip
        wanted.append(torch.cat([pair.abs().mean(dim=0)[visible[b, t]] for t, pair in enumerate(pairs)]).mean())
    torch.testing.assert_close(change(values, flow, visible), torch.stack(wanted))


def test_along_the_true_flow_the_worlds_own_clips_hardly_change():
    data = SpriteData("test", num_frames=5, size=32)  # a coder that gives black: its error is the clip itself
    clips, truth = data.batch(range(6)).clips(), data.truth(range(6))
    followed = change(clips, truth.flow, truth.flow_visible)
    unfollowed = change(clips)
    assert (followed < unfollowed).all() and followed.mean() < 0.5 * unfollowed.mean()  # what is left are edges


def test_the_range_of_the_pixels_is_255_levels():
    preds, target = noise(2, 3, 4, 6, 5), noise(2, 3, 4, 6, 5).flip(2)
    once = change_of_error(preds, target)
    assert once.tolist() == pytest.approx((change(preds - target) * 127.5).tolist(), rel=1e-4)
    assert change_of_error(preds, target, data_range=1).tolist() == pytest.approx((2 * once).tolist())


def test_one_frame_is_not_enough_and_shapes_are_equal():
    with pytest.raises(ValueError, match="two frames"):
        change(torch.zeros(1, 3, 1, 8, 8))
    with pytest.raises(ValueError, match="differ in shape"):
        change_of_error(torch.zeros(2, 3, 4, 8, 8), torch.zeros(1, 3, 4, 8, 8))


def test_a_coder_that_does_nothing_answers_with_the_noise_itself_and_the_mean_over_time_with_nothing():
    images, draws = 0.3 * noise(2, 3, 40, 41), noise(2, 3, 8, 40, 41)
    found = noise_response(lambda clips: clips, images, draws)
    wanted = [level * 2 / math.pi**0.5 for level in (0, 1, 3, 6)]
    torch.testing.assert_close(found, torch.tensor(wanted)[:, None].expand(4, 2), rtol=0.03, atol=1e-4)
    assert noise_response(mean_frame, images, draws).max() < 1e-3
