"""The ceiling of latent actions: by the engine, against closed forms and against counting."""

import math

import pytest
import torch

from common.data.arcade import Rooms, play
from common.data.arcade.fresh_keys import FreshKeys
from common.data.arcade.rooms import RoomsState
from common.data.arcade.tiles import BRICK, COLUMNS, EMPTY
from common.evaluation.action_ceiling import action_ceiling, outcomes
from common.evaluation.mutual_information import mutual_information

EMPTY_ROOM = bytes([EMPTY]) * (6 * COLUMNS) + bytes([BRICK]) * COLUMNS
GROUND = 56 - 7  # where a standing player's head is


def test_a_standing_player_with_room_shows_all_six_keys():
    assert outcomes(Rooms(), [RoomsState(EMPTY_ROOM, 30, GROUND)]).tolist() == [[0, 1, 2, 3, 4, 5]]


def test_at_the_left_wall_left_is_stay():
    assert outcomes(Rooms(), [RoomsState(EMPTY_ROOM, 0, GROUND)]).tolist() == [[0, 0, 1, 2, 2, 3]]


def test_in_the_air_a_jump_is_not_seen():
    assert outcomes(Rooms(), [RoomsState(EMPTY_ROOM, 30, 20, velocity=2)]).tolist() == [[0, 1, 2, 0, 1, 2]]


def test_the_ceiling_has_closed_forms():
    sixth = (1 / 6,) * 6
    assert action_ceiling(torch.tensor([[0, 1, 2, 3, 4, 5]]), sixth) == pytest.approx(math.log2(6))
    assert action_ceiling(torch.tensor([[0, 1, 2, 0, 1, 2]]), sixth) == pytest.approx(math.log2(3))
    assert action_ceiling(torch.tensor([[7, 7, 7], [0, 1, 2]]), (0.5, 0.25, 0.25)) == pytest.approx(0.75)
    assert action_ceiling(torch.tensor([[0, 1]]), (1.0, 0.0)) == 0


def test_probabilities_have_to_fit():
    with pytest.raises(ValueError, match="2 actions and 3"):
        action_ceiling(torch.tensor([[0, 1]]), (0.5, 0.25, 0.25))


def test_it_is_what_counting_comes_to():
    """Of one state, keys pressed at random and the frames that follow share as many bits as the ceiling says."""
    game, player = Rooms("train", with_slime=False), FreshKeys()
    state = play(game, 3, 20, player, states=True).states[-1]
    table = outcomes(game, [state])
    keys = torch.tensor([player(state) for _ in range(20_000)])
    assert mutual_information(table[0][keys], keys) == pytest.approx(
        action_ceiling(table, player.probabilities), abs=0.02
    )
