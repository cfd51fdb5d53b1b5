"""A game that can be played, recorded and set back: one protocol for ours, for ViZDoom, gymnasium and a learner's own.

The convention, once: **action `a_t` is pressed while frame t is shown and leads to frame t + 1.** A play of T frames
has T - 1 actions, and `actions[t]` belongs between `frames[t]` and `frames[t + 1]`. With actions off by one, every loss
still falls.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

SPLITS = ("train", "test")


class Game(Protocol):
    """What a game must have.

    Attributes:
        name: of the game.
        actions: the name of each action. Action 0 is "no key", where there is such a thing.
    """

    name: str
    actions: tuple[str, ...]

    def reset(self, seed: int) -> None:
        """Begin again. The same seed and the same actions give the same frames."""

    def step(self, action: int) -> tuple[str, ...]:
        """Let one frame pass with this key held. Returns the names of the events in it, as a rule none."""

    def frame(self) -> np.ndarray:
        """What is seen now: uint8 `(H, W, 3)`, the caller's to keep."""

    def state(self) -> Any:
        """All that decides the future. It never changes afterwards."""

    def set_state(self, state: Any) -> None:
        """Go on from there: the same actions then give the same frames."""


class PaintedGame(Game, Protocol):
    """A game in a few colours, which can be stored in a third of the bytes.

    Attributes:
        palette: uint8 `(N, 3)`, at most 256 colours.
    """

    palette: np.ndarray

    def painting(self) -> np.ndarray:
        """What is seen now, as numbers of the palette: uint8 `(H, W)`, the caller's to keep."""


class Player(Protocol):
    """Chooses the actions."""

    def reset(self, seed: int) -> None:
        """Begin again: the same seed and states give the same actions."""

    def __call__(self, state: Any) -> int:
        """The action for this state."""


@dataclass(frozen=True)
class Play:
    """T frames of a game, and what was pressed between them.

    Attributes:
        frames: uint8 `(T, H, W, 3)`.
        actions: int64 `(T - 1,)`; `actions[t]` leads from frame t to frame t + 1.
        events: T - 1 tuples of names: what happened in that step.
        states: T states, or none if they were not asked for.
    """

    frames: np.ndarray
    actions: np.ndarray
    events: tuple[tuple[str, ...], ...]
    states: tuple = field(default=(), repr=False)


def play(game: Game, seed: int, num_frames: int, player: Callable[[Any], int], *, states: bool = False) -> Play:
    """Let a player play from the beginning.

    Args:
        game: is reset first.
        seed: of the game and of the player.
        num_frames: T, at least 1.
        player: gives the action for a state; reset first if it has a `reset`.
        states: whether to keep the states.

    Raises:
        ValueError: there is no frame to play.
    """
    if num_frames < 1:
        raise ValueError(f"a play has at least 1 frame, got num_frames={num_frames}")
    game.reset(seed)
    if hasattr(player, "reset"):
        player.reset(seed)
    frames, actions, events, kept = [game.frame()], [], [], [game.state()]
    for _ in range(num_frames - 1):
        actions.append(player(kept[-1]))
        events.append(game.step(actions[-1]))
        frames.append(game.frame())
        kept.append(game.state())
    return Play(np.stack(frames), np.array(actions, dtype=np.int64), tuple(events), tuple(kept) if states else ())


def check_action(game: Game, action: int) -> None:
    """Raises ValueError unless the game has this action."""
    if not 0 <= action < len(game.actions):
        raise ValueError(f"{game.name} has actions 0 to {len(game.actions) - 1}, got {action}")


def split_number(split: str) -> int:
    """0 for train, 1 for test.

    Raises:
        ValueError: it is another word.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    return SPLITS.index(split)
