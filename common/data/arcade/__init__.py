"""Small games with exact truth: played, recorded, set to any state; `evaluation.arcade_reader` reads their pixels."""

from common.data.arcade.catch import Catch, CatchState
from common.data.arcade.game import Game, PaintedGame, Play, Player, play
from common.data.arcade.recording import ActionBatch, Recording, arcade_recording, mixed_player, record
from common.data.arcade.rooms import Rooms, RoomsState

__all__ = ["ActionBatch", "Catch", "CatchState", "Game", "PaintedGame", "Play", "Player", "Recording", "Rooms",
           "RoomsState", "arcade_recording", "mixed_player", "play", "record"]  # fmt: skip
