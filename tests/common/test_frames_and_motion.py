"""Frames and motion are told apart: shuffled frames keep the one number and lose the other, noise loses both."""

import torch

from common.data.sprites.modes import ModeData
from common.evaluation.frames_and_motion import frames_and_motion

WORLD = ModeData(num_frames=6, size=20)


def test_shuffled_frames_are_right_one_by_one_and_go_nowhere():
    clips = WORLD.clips(range(24))
    frames, straight = frames_and_motion(clips, WORLD.fps)
    assert frames > 0.9 and straight > 0.95
    shuffled_frames, zigzag = frames_and_motion(clips[:, :, [3, 0, 5, 1, 4, 2]], WORLD.fps)
    assert abs(shuffled_frames - frames) < 0.15 and zigzag < 0.5


def test_noise_shows_no_object():
    noise = torch.rand(8, 3, 6, 20, 20, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert frames_and_motion(noise, WORLD.fps)[0] < 0.2
