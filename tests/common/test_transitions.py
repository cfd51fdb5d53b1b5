"""Transitions: by the numbers that frames and actions carry."""

import pytest
import torch

from common.data.arcade import transitions


@pytest.mark.parametrize("context", [1, 2, 4])
def test_every_action_is_pressed_in_the_frame_of_its_number(context):
    frames = torch.arange(6.0) + 10 * torch.arange(3.0)[:, None]  # play b shows 10 b + t
    actions = (frames[:, :-1]).long()  # and is called like the frame in which it is pressed
    rows = transitions(frames[:, None, :, None, None].expand(3, 2, 6, 4, 5), actions, context)
    assert rows.past.shape == (3 * (6 - context), 2, context, 4, 5) and rows.target.shape == rows.past[:, :, 0].shape
    assert torch.equal(rows.past[:, 0, :, 0, 0].long(), rows.actions)
    assert torch.equal(rows.target[:, 0, 0, 0].long(), rows.actions[:, -1] + 1)
    assert torch.equal(rows.target[:, 0, 0, 0], torch.cat([frames[b, context:] for b in range(3)]))


def test_what_does_not_fit_is_refused():
    clips = torch.zeros(2, 3, 5, 4, 4)
    for shape, context in (((2, 5), 2), ((1, 4), 2), ((2, 4), 0), ((2, 4), 5)):
        with pytest.raises(ValueError):
            transitions(clips, torch.zeros(shape, dtype=torch.int64), context)
