"""Episodes of `catch`: windows that cross no end, what led to each frame, outcomes as the engine gives them."""

import numpy as np
import pytest
import torch

from common.data.arcade import Catch, play
from common.data.arcade.catch import REWARDS, CatchScript
from common.data.arcade.episodes import EPISODE, CatchEpisodes, episode_windows, outcomes
from common.data.arcade.players import Mixed, RandomKeys
from common.data.arcade.recording import record


def test_a_window_ends_with_an_end_or_holds_none():
    ends = torch.tensor([False, True, False, False, True, False])  # frames 2 and 5 are the last ones
    steps = torch.arange(6)
    windows = episode_windows(torch.arange(7), 10 + steps, 1.0 + steps, ends, 3)
    assert windows.frames.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert windows.actions.tolist() == [[0, 10, 11], [0, 13, 14]]
    assert windows.rewards.tolist() == [[0, 1, 2], [0, 4, 5]]
    assert windows.continues.tolist() == [[1, 1, 0], [1, 1, 0]]
    pairs = episode_windows(torch.arange(7), 10 + steps, 1.0 + steps, ends, 2).frames.tolist()
    assert pairs == [[0, 1], [1, 2], [3, 4], [4, 5]]


@pytest.mark.parametrize("length", [1, 8])
def test_refuses_lengths_that_are_none(length):
    with pytest.raises(ValueError, match="2 to 7"):
        episode_windows(torch.arange(7), torch.arange(6), torch.zeros(6), torch.zeros(6).bool(), length)


def test_outcomes_are_the_engines_events():
    player = Mixed(CatchScript(), RandomKeys(3))
    made = play(Catch(), 3, 400, player)
    painted = record(Catch(), player, 1, 400, first=3, progress=False).frames[0]
    rewards, ends = outcomes(painted)
    due = [sum(REWARDS[event] for event in events) for events in made.events]
    assert rewards.tolist() == due and ends.tolist() == [bool(events) for events in made.events]
    assert {-1, 1} <= set(due)


def test_episodes_are_whole_balls_and_come_again():
    episodes = CatchEpisodes(1000)
    windows = episodes.windows
    assert windows.frames.shape[1:] == (EPISODE, 32, 32)
    assert (windows.rewards[:, -1].abs() == 1).all() and not windows.rewards[:, :-1].any()
    assert not windows.continues[:, -1].any() and windows.continues[:, :-1].all()
    clips = windows[:3].clips()
    assert clips.shape == (3, 3, EPISODE, 32, 32) and clips.min() >= -1 and clips.max() <= 1
    assert torch.equal(episodes.batch([5, 200]).frames, CatchEpisodes(1000).batch([5, 200]).frames)
    numbers = [tuple(row.flatten().tolist()) for row in episodes.batch(range(len(windows))).actions]
    assert sorted(numbers) == sorted(tuple(row.tolist()) for row in windows.actions)  # one pass has each of them


def test_the_action_that_led_to_a_frame_moves_the_paddle_in_it():
    windows = CatchEpisodes(1000).windows
    left_end = (windows.frames[:, :, 28] >= 3).float().argmax(dim=2)  # the paddle's row; air and ground are below 3
    moved = left_end[:, 1:] - left_end[:, :-1]
    wanted = torch.tensor([0, -2, 2])[windows.actions[:, 1:]]
    edge = (left_end[:, :-1] + wanted).clamp(0, 26) - left_end[:, :-1]
    assert torch.equal(moved, edge) and (moved != 0).float().mean() > 0.2


def test_shuffled_episodes_have_the_actions_of_others():
    right, wrong = CatchEpisodes(1000).windows, CatchEpisodes(1000, shuffled=True).windows
    assert torch.equal(right.frames, wrong.frames) and not torch.equal(right.actions, wrong.actions)
    assert np.array_equal(np.sort(right.actions.numpy(), axis=0), np.sort(wrong.actions.numpy(), axis=0))
