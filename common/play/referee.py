"""The referees: what the frames of `rooms` and `catch` show, and what the engine would have made of it.

Both games are partly random. A referee says where: there the engine takes over what the dream shows, since no rule says
which room comes next, where the ball is served, or when the slime turns.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch

from common.data.arcade import Catch, CatchState, Rooms, RoomsState
from common.data.arcade.catch import FIRST_ROW, LAST_ROW
from common.evaluation.arcade_reader import (
    CatchReading,
    RoomsReading,
    read_catch,
    read_catch_state,
    read_rooms,
    read_state,
)
from common.evaluation.arcade_rules import PARTS, rule_agreement

STRAIGHT, TURN = 0, 10  # dice after which a slime goes straight on, and turns: tested
A_FEW = 8  # tiles: a room of which more change at once is another room
Verdict = tuple[bool, ...]  # one for each part


class Referee(Protocol):
    """Reads a game.

    Attributes:
        parts: what is compared, each a word for people.
    """

    parts: tuple[str, ...]

    def read(self, frame: np.ndarray) -> Any:
        """What a frame shows."""

    def state(self, now: Any, before: Any | None) -> Any | None:
        """The engine's state in a frame, None if it cannot be told."""

    def judge(self, readings: Sequence[Any], actions: Sequence[int]) -> Verdict:
        """Of three readings and the two actions between them: does the last follow from the others by the rules?"""

    def follow(self, state: Any, action: int, seen: Any, before: Any) -> tuple[Any, bool]:
        """The engine's next state, and whether what came is random, so that it must be taken from the dream.

        Args:
            state: of the engine.
            action: pressed in it.
            seen: what the dream shows next.
            before: what it showed last.
        """

    def compare(self, state: Any, seen: Any) -> Verdict:
        """Whether a frame shows this state."""


class RoomsReferee:
    """Of `rooms`. Player, tiles, HUD and slime, as in `evaluation.arcade_rules`."""

    parts = ("player", "grid", "HUD", "slime")

    def __init__(self):
        assert len(self.parts) == len(PARTS)
        self._engine = Rooms()

    def read(self, frame: np.ndarray) -> RoomsReading:
        """What a frame shows."""
        return read_rooms(_clip(frame))[0]

    def state(self, now: RoomsReading, before: RoomsReading | None) -> RoomsState | None:
        """The engine's state in a frame, None without a player."""
        return read_state(now, before)

    def judge(self, readings: Sequence[RoomsReading], actions: Sequence[int]) -> Verdict:
        """One-step rule agreement."""
        agreement = rule_agreement(readings, actions)
        return tuple(bool(getattr(agreement, part)[0]) for part in PARTS)

    def follow(
        self, state: RoomsState, action: int, seen: RoomsReading, before: RoomsReading
    ) -> tuple[RoomsState, bool]:
        """The engine's next state. Its slime turns if that brings it nearer to the dream's; a door is random."""
        outcomes = []
        for dice in (STRAIGHT, TURN):
            self._engine.set_state(replace(state, dice=dice))
            events = self._engine.step(action)
            outcomes.append((self._engine.state(), "door" in events))
        then, door = min(outcomes, key=lambda outcome: _apart(outcome[0].slime, seen.slime))
        entered = before.has_key and seen.has_key is False and _num_changed(before.tiles, seen.tiles) > A_FEW
        return then, bool(door or entered)

    def compare(self, state: RoomsState, seen: RoomsReading) -> Verdict:
        """Whether a frame shows this state; its slime to within a pixel."""
        return (
            seen.num_players == 1 and seen.player == (state.x, state.y),
            seen.tiles == state.tiles,
            (seen.has_key, seen.coins) == (state.has_key, state.coins),
            _apart(state.slime, seen.slime) <= 1,
        )


class CatchReferee:
    """Of `catch`. Paddle and ball."""

    parts = ("paddle", "ball")

    def __init__(self):
        self._engine = Catch()

    def read(self, frame: np.ndarray) -> CatchReading:
        """What a frame shows."""
        return read_catch(_clip(frame))[0]

    def state(self, now: CatchReading, before: CatchReading | None) -> CatchState | None:
        """The engine's state in a frame, None unless ball and paddle are seen."""
        return read_catch_state(now, before)

    def judge(self, readings: Sequence[CatchReading], actions: Sequence[int]) -> Verdict:
        """From the state that the first two show. A serve is random, and after it the drift is not known yet."""
        before, now, seen = readings
        state = read_catch_state(now, before)
        if state is None:
            return False, False
        then, is_random = self.follow(state, actions[1], seen, now)
        paddle, ball = self.compare(then, seen)
        if is_random:
            ball = seen.num_balls == 1 and seen.ball[1] == FIRST_ROW
        elif before.ball is None or now.ball[1] != before.ball[1] + 1:  # it was served in this frame
            ball = seen.num_balls == 1 and seen.ball[1] == now.ball[1] + 1 and abs(seen.ball[0] - now.ball[0]) <= 1
        return paddle, ball

    def follow(
        self, state: CatchState, action: int, seen: CatchReading, before: CatchReading
    ) -> tuple[CatchState, bool]:
        """The engine's next state; a serve is random."""
        self._engine.set_state(state)
        self._engine.step(action)
        served = bool(before.ball and seen.ball and seen.ball[1] == FIRST_ROW < before.ball[1])
        return self._engine.state(), served or state.ball_y >= LAST_ROW

    def compare(self, state: CatchState, seen: CatchReading) -> Verdict:
        """Whether a frame shows this state."""
        return seen.paddle == state.paddle, seen.num_balls == 1 and seen.ball == (state.ball_x, state.ball_y)


REFEREES = {Rooms: RoomsReferee, Catch: CatchReferee}


def _clip(frame: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frame.transpose(2, 0, 1)[:, None].astype(np.float32)) / 127.5 - 1  # (3, 1, H, W)


def _apart(one: tuple | None, other: tuple | None) -> float:
    """Pixels between two slimes; none and none are together."""
    if one is None or other is None:
        return 0.0 if one is other else float("inf")
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _num_changed(one: bytes, other: bytes) -> int:
    return sum(a != b for a, b in zip(one, other))
