"""The audit of a dream: the engine beside it, fed with the same keys, and how often the two agree.

Two questions, part by part. *Rule*: does this frame follow from the one before it? One mistake costs one frame.
*Twin*: does it show what the engine shows, which was set to the dream at the last start or door, and has gone its own
way since? One mistake costs all frames until the next.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.play.playable import Playable, close
from common.play.session import Start

RECENT = 100  # frames: five seconds at 20 per second


@dataclass(frozen=True)
class Tally:
    """Agreement of one part, each from 0 to 1 or NaN before there is any frame.

    Attributes:
        rule_recent, rule: in the last `RECENT` frames and in all.
        twin_recent, twin: the same.
    """

    rule_recent: float
    rule: float
    twin_recent: float
    twin: float


class Counter:
    """How often each part was right, in the last frames and in all."""

    def __init__(self, num_parts: int):
        self._recent, self._right, self._count = deque(maxlen=RECENT), np.zeros(num_parts), 0

    def add(self, verdict: Sequence[bool]) -> None:
        """One frame."""
        self._recent.append(verdict)
        self._right += verdict
        self._count += 1

    def rates(self, part: int) -> tuple[float, float]:
        """In the last frames, and in all."""
        if not self._count:
            return float("nan"), float("nan")
        return sum(verdict[part] for verdict in self._recent) / len(self._recent), self._right[part] / self._count


class Audit:
    """Follows a session frame by frame.

    For a game without a reader there is nothing to count; beside a dream its engine still runs with the same keys.

    Args:
        playable: what is played.
        start: the session's.
        seed: of that start.
    """

    def __init__(self, playable: Playable, start: Start, seed: int):
        self._referee = playable.referee
        self.has_twin = self._referee is not None or playable.world is not None
        self._game = playable.make_game() if self.has_twin else None
        self.parts = self._referee.parts if self._referee else ()
        self._rule, self._twin = Counter(len(self.parts)), Counter(len(self.parts))
        self.restart(start, seed)

    def restart(self, start: Start, seed: int) -> None:
        """The session begins again. What was counted stays counted."""
        if self._referee is None:
            if self.has_twin:
                self._game.reset(seed)
                for action in start.actions:
                    self._game.step(action)
            return
        self._readings = deque((self._referee.read(frame) for frame in start.frames[-3:]), maxlen=3)
        self._actions = deque(start.actions[-2:], maxlen=2)
        self._is_fresh = len(self._readings) == 1  # a state of which not all is known yet
        self._set_twin()

    def follow(self, action: int, frame: np.ndarray) -> None:
        """The next frame of the session, and the action that led to it."""
        if self._referee is None:
            if self.has_twin:
                self._game.step(action)
            return
        before = self._readings[-1]
        seen = self._referee.read(frame)
        self._readings.append(seen)
        self._actions.append(action)
        verdict = None
        if len(self._readings) == 3:
            verdict = self._referee.judge([*self._readings], [*self._actions])
            self._rule.add(verdict)
        if self._state is None:  # nothing was there to set the engine to
            self._twin.add((False,) * len(self.parts))
            self._set_twin()
            self._is_fresh = True
            return
        self._state, is_random = self._referee.follow(self._state, action, seen, before)
        if is_random or self._is_fresh:  # what came is judged by what is possible, and is the engine's new state
            if verdict is not None:
                self._twin.add(verdict)
            self._set_twin()
            self._is_fresh = is_random
        else:
            self._twin.add(self._referee.compare(self._state, seen))

    def twin_frame(self) -> np.ndarray | None:
        """What the engine shows: uint8 `(H, W, 3)`, or None where it cannot be set to what the dream shows."""
        if self._referee is None:
            return self._game.frame() if self.has_twin else None
        if self._state is None:
            return None
        self._game.set_state(self._state)
        return self._game.frame()

    def close(self) -> None:
        """End the engine's process, if it has one."""
        close(self._game)

    def tallies(self) -> list[Tally]:
        """Of each part."""
        return [Tally(*self._rule.rates(part), *self._twin.rates(part)) for part in range(len(self.parts))]

    def _set_twin(self) -> None:
        before = self._readings[-2] if len(self._readings) > 1 else None
        self._state = self._referee.state(self._readings[-1], before)
