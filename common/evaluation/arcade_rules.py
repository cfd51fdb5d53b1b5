"""One-step rule agreement: does each frame of a dream follow from the one before it, by the rules of the game?

The state is read at frame t, the engine is set to it and steps with the key that was pressed, and its state is
compared with what is read at frame t + 1. So a dream that once goes its own way is not punished for ever, and every
frame counts.

Two things are random and are judged by what is possible. Behind a door the room is new: it must be a whole room with
one door, one key and one player, with the coins kept and the key gone. A slime may turn: it must be within a pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.data.arcade import Rooms
from common.data.arcade.rooms import RoomsState
from common.data.arcade.tiles import DOOR, KEY, PLAYER_HEIGHT, TILE
from common.evaluation.arcade_reader import UNKNOWN, RoomsReading, read_state

PARTS = ("player", "tiles", "hud", "slime")


@dataclass(frozen=True)
class RuleAgreement:
    """Which of the steps between T frames follow the rules. Bool `(T - 2,)` each: step k leads from frame k + 1 to
    frame k + 2, since a velocity needs a frame before it.

    Attributes:
        player: exactly one player, at the very pixel.
        tiles: every tile of the room.
        hud: key and coins.
        slime: there if it was there, within a pixel.
        events: what the engine says happened in each step.
    """

    player: np.ndarray
    tiles: np.ndarray
    hud: np.ndarray
    slime: np.ndarray
    events: tuple[tuple[str, ...], ...]

    @property
    def all(self) -> np.ndarray:
        """Steps in which nothing is wrong."""
        return self.player & self.tiles & self.hud & self.slime

    def rate(self, part: str = "all", *, event: str | None = None) -> float:
        """The part of the steps that agree; NaN if there is no such step.

        Args:
            part: one of `PARTS`, or `all`.
            event: of the steps with this event alone.

        Raises:
            ValueError: there is no such part.
        """
        if part not in (*PARTS, "all"):
            raise ValueError(f"part is one of {', '.join(PARTS)} and all, got {part!r}")
        chosen = np.array([event is None or event in names for names in self.events], dtype=bool)
        right = getattr(self, part)[chosen]
        return float(right.mean()) if len(right) else float("nan")


def rule_agreement(readings: Sequence[RoomsReading], actions: Sequence[int]) -> RuleAgreement:
    """Judge the frames of a play or a dream, each by the frame before it.

    For every frame t from 1 to T - 2: read its state (`read_state`, with the reading before it, for the velocities),
    set the engine to it, step with the action pressed in it, and compare the engine's state with what is read at t + 1.
    `judge_step` compares, given both states and the reading; `judge_new_room` does if "door" is among the events of the
    step. Where there is no state, for want of a player, all four parts are wrong and there are no events.

    Args:
        readings: of T frames, at least 3.
        actions: T - 1; `actions[t]` leads from frame t to frame t + 1.

    Raises:
        ValueError: there are fewer than 3 readings, or not one action fewer than readings.
    """
    if len(readings) < 3 or len(actions) != len(readings) - 1:
        raise ValueError(f"T frames, at least 3, and T - 1 actions; got {len(readings)} and {len(actions)}")
    game, steps, events = Rooms(), [], []
    for before, now, then, action in zip(readings, readings[1:], readings[2:], actions[1:]):
        state = read_state(now, before)
        if state is None:
            steps.append((False,) * len(PARTS))
            events.append(())
            continue
        game.set_state(state)
        events.append(game.step(action))
        judge = judge_new_room if "door" in events[-1] else judge_step
        steps.append(judge(state, game.state(), then))
    return RuleAgreement(*np.array(steps, dtype=bool).T, events=tuple(events))


def judge_step(was: RoomsState, due: RoomsState, seen: RoomsReading) -> tuple[bool, bool, bool, bool]:
    """Whether a frame follows from the one before it: player, tiles, HUD, and the slime within a pixel of its place.

    Args:
        was: the state that was read in the frame before.
        due: the engine's state after the step.
        seen: what was read in the frame itself.
    """
    if was.slime is None or seen.slime is None:
        slime = was.slime is None and seen.slime is None
    else:
        slime = abs(was.slime[0] - seen.slime[0]) <= 1 and was.slime[1] == seen.slime[1]
    return (
        seen.num_players == 1 and seen.player == (due.x, due.y),
        seen.tiles == due.tiles,
        (seen.has_key, seen.coins) == (due.has_key, due.coins),
        slime,
    )


def judge_new_room(was: RoomsState, due: RoomsState, seen: RoomsReading) -> tuple[bool, bool, bool, bool]:
    """Whether a frame shows a room that may be behind a door: any whole one, the player standing, the key used up.

    Arguments as for `judge_step`; of `due` only the coins count, since the engine's room is another one.
    """
    stands = seen.player is not None and (seen.player[1] + PLAYER_HEIGHT) % TILE == 0
    whole = UNKNOWN not in seen.tiles and seen.tiles.count(DOOR) == 1 and seen.tiles.count(KEY) == 1
    return seen.num_players == 1 and stands, whole, (seen.has_key, seen.coins) == (False, due.coins), True
