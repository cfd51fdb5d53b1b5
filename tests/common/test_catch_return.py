"""Real returns: the best player catches every ball, a player that stands still misses, games come again."""

import numpy as np
import torch

from common.data.arcade.catch import CatchScript
from common.evaluation.arcade_reader import read_catch, read_catch_state
from common.evaluation.catch_return import RandomPlayer, real_returns


class Reader:
    """Plays by what it reads in the last two frames."""

    def __call__(self, frames, actions):
        now, script = read_catch(frames.transpose(0, 1)), CatchScript()
        before = now if actions is None else self.before
        self.before = now
        return torch.tensor([script(read_catch_state(a, b)) for a, b in zip(now, before)])


def test_a_player_that_reads_the_frames_catches_every_ball():
    played = real_returns(Reader(), 12)
    assert played.mean == 1.0 and played.interval() == (1.0, 1.0)
    assert played.frames.shape == (12, 26, 32, 32, 3) and played.actions.shape == (12, 25)


def test_random_keys_miss_most_balls_and_games_come_again():
    played, again = (real_returns(RandomPlayer(), 60) for _ in range(2))
    assert -0.8 < played.mean < 0 and set(played.returns.tolist()) == {-1, 1}
    assert np.array_equal(played.frames, again.frames)
    low, high = played.interval()
    assert low < played.mean < high
    other = real_returns(RandomPlayer(), 60, first=60)
    assert not np.array_equal(played.frames[:, 0], other.frames[:, 0])


def test_the_player_is_told_what_led_to_each_frame():
    told = []

    class Watches:
        def __call__(self, frames, actions):
            told.append(None if actions is None else actions.tolist())
            return torch.full((len(frames),), len(told) % 3)

    played = real_returns(Watches(), 2)
    assert told[0] is None and told[1:] == played.actions[:, :-1].T.tolist()
