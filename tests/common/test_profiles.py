"""Profiles of `catch`: sums of pixels, additive, and enough to have the frame again."""

import torch

from common.data.arcade import Catch, CatchState
from common.data.arcade.profiles import NUM_PROFILES, Seen, draw_seen, profiles, read_profiles
from common.data.arcade.recording import arcade_recording


def test_drawn_states_are_the_games_frames():
    game = Catch()
    for state, ended in ((CatchState(5, 10, 1, 8), 0), (CatchState(9, 26, 0, 8), 1), (CatchState(20, 26, 0, 8), -1)):
        game.set_state(state)
        drawn = draw_seen([Seen((state.ball_x, state.ball_y), state.paddle, ended)])[:, 0]
        frame = torch.from_numpy(game.frame()).permute(2, 0, 1) / 127.5 - 1
        torch.testing.assert_close(drawn, frame)


def test_profiles_are_half_the_sums_of_what_is_not_empty():
    clip = draw_seen([None, Seen((4, 6), 10)])[None]
    found = profiles(clip)
    assert found.shape == (1, 2, NUM_PROFILES) and not found[:, 0].any()
    columns, rows = found[0, 1].reshape(2, 3, 32)
    assert rows[0].nonzero()[:, 0].tolist() == [6, 7, 28, 29]
    assert columns[0].nonzero()[:, 0].tolist() == [4, 5, *range(10, 16)]
    torch.testing.assert_close(columns.sum(dim=1), rows.sum(dim=1))


def test_every_frame_of_a_play_comes_again_from_its_profiles():
    play = arcade_recording("catch", 500, "test").play(0).clips()
    found = profiles(play)
    torch.testing.assert_close(draw_seen(read_profiles(found[0])), play[0])
    noisy = found[0] + 0.3 * torch.randn(found[0].shape, generator=torch.Generator().manual_seed(0))
    right = [a == b for a, b in zip(read_profiles(noisy), read_profiles(found[0]))]
    assert sum(right) / len(right) > 0.95
