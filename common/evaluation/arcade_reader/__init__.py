"""The readers of the arcade's worlds: the state of a game, found in its pixels by measuring alone."""

from common.evaluation.arcade_reader.catch import CatchReading, read_catch, read_catch_state
from common.evaluation.arcade_reader.rooms import UNKNOWN, RoomsReading, read_rooms, read_state

__all__ = ["UNKNOWN", "CatchReading", "RoomsReading", "read_catch", "read_catch_state", "read_rooms", "read_state"]
