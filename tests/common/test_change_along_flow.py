"""Change along the flow: nothing where a thing takes its values with it, the noise's own where every frame has new."""

import math

import pytest
import torch

from common.data.sprites import SpriteData
from common.flow.along import change_along_flow
from common.flow.warping import warp


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_a_constant_error_does_not_change_and_fresh_noise_changes_by_its_own():
    assert change_along_flow(noise(2, 3, 1, 8, 9).expand(2, 3, 5, 8, 9)).tolist() == [0, 0]
    found = change_along_flow(noise(3, 3, 6, 40, 41))
    assert found == pytest.approx([2 / math.pi**0.5] * 3, rel=0.03)  # E |a - b| of two standard normal numbers


def test_what_moves_with_the_flow_does_not_change():
    first = noise(2, 3, 12, 14)
    clip = torch.stack([first.roll((t, -2 * t), dims=(2, 3)) for t in range(4)], dim=2)  # down 1, left 2
    flow = torch.tensor([-2.0, 1.0]).reshape(1, 2, 1, 1, 1).expand(2, 2, 3, 12, 14)
    inside = torch.zeros(2, 3, 12, 14, dtype=torch.bool)
    inside[:, :, :-1, 2:] = True  # where it ends inside the picture
    assert change_along_flow(clip, flow, inside).abs().max() < 1e-4
    assert change_along_flow(clip, None, inside).min() > 0.5
    assert change_along_flow(clip, -flow, inside).min() > 0.5


def test_each_pair_of_frames_follows_its_own_flow_and_hidden_places_do_not_count():
    values, flow = noise(2, 3, 4, 10, 9), noise(2, 2, 3, 10, 9)
    visible = noise(2, 3, 10, 9) > 0
    wanted = []
    for b in range(2):
        pairs = [(warp(values[b : b + 1, :, t + 1], flow[b : b + 1, :, t]) - values[b : b + 1, :, t])[0]
                 for t in range(3)]  # fmt: skip
        wanted.append(torch.cat([pair.abs().mean(dim=0)[visible[b, t]] for t, pair in enumerate(pairs)]).mean())
    torch.testing.assert_close(change_along_flow(values, flow, visible), torch.stack(wanted))


def test_along_the_true_flow_the_worlds_own_clips_hardly_change():
    data = SpriteData("test", num_frames=5, size=32)
    clips, truth = data.batch(range(6)).clips(), data.truth(range(6))
    followed = change_along_flow(clips, truth.flow, truth.flow_visible)
    unfollowed = change_along_flow(clips)
    assert (followed < unfollowed).all() and followed.mean() < 0.5 * unfollowed.mean()  # what is left are edges


def test_one_frame_is_not_enough():
    with pytest.raises(ValueError, match="two frames"):
        change_along_flow(torch.zeros(1, 3, 1, 8, 8))
