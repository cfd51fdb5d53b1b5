"""Small games with exact truth: played, recorded, set to any state; `evaluation.arcade_reader` reads their pixels."""

from common.data.arcade.catch import Catch, CatchState
from common.data.arcade.game import Game, PaintedGame, Play, Player, play
from common.data.arcade.recording import ActionBatch, Recording, arcade_recording, mixed_player, record
from common.data.arcade.rooms import Rooms, RoomsState
from common.data.arcade.transitions import Transitions, transitions

__all__ = ["ActionBatch", "Catch", "CatchState", "Game", "PaintedGame", "Play", "Player", "Recording", "Rooms",
           "RoomsState", "Transitions", "arcade_recording", "mixed_player", "play", "record",
           "transitions"]  # fmt: skip
