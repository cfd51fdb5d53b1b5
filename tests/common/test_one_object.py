"""`OneObject`: every second clip from each of the two worlds of one object, by number."""

import pytest
import torch

from common.data.sprites import SpriteData, is_held_out
from common.data.sprites.attributes import MOTIONS
from common.data.sprites.one_object import OneObject
from common.data.sprites.solo import SoloSprites, draw


def test_even_numbers_are_solo_and_odd_ones_of_the_whole_world():
    scenes = OneObject("test").scenes([4, 5])
    assert scenes[0] == SoloSprites("test", motions=MOTIONS).scenes([2])[0]
    assert scenes[1] == SpriteData("test", num_objects=1).scenes([2])[0]


def test_clips_are_two_seconds_at_four_frames_a_second():
    batch = OneObject().batch([0, 1])
    assert batch.pixels.shape == (2, 3, 9, 64, 64) and batch.fps == 4
    assert torch.equal(batch.pixels, draw(OneObject().scenes([0, 1]), 9, 64).pixels)


def test_no_training_clip_is_held_out():
    scenes = OneObject().scenes(range(400))
    assert not any(is_held_out(scene.words) for scene in scenes)
    assert all(len(scene.objects) == 1 for scene in scenes)


def test_a_wrong_split_or_number_is_refused():
    with pytest.raises(ValueError, match="split must be one of train, test"):
        OneObject("held_out")
    with pytest.raises(ValueError):
        OneObject().scenes([-1])
