"""A session played again from its log, and compared with what was seen then."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from common.play.errors import PlayError
from common.play.log import Log, checksum
from common.play.playable import Playable
from common.play.referee import Referee
from common.play.session import Session
from common.play.settings import Settings


@dataclass(frozen=True)
class Replayed:
    """A frame that was played again.

    Attributes:
        frame: uint8 `(H, W, 3)`.
        is_same: whether it is the recorded one, to the bit.
    """

    frame: np.ndarray
    is_same: bool


def replay(log: Log, playable: Playable) -> Iterator[Replayed]:
    """Play a log again, frame by frame.

    Args:
        log: of a session.
        playable: what was played then.

    Raises:
        PlayError: the log does not begin with settings and a start.
    """
    if [move[0] for move in log.moves[:2]] != ["set", "restart"]:
        raise PlayError("the log does not begin with settings and a start")
    session = Session(playable, log.moves[1][1], Settings(*log.moves[0][1:]))
    checks = iter(log.checks)
    yield Replayed(session.frame, checksum(session.frame) == next(checks))
    for word, *values in log.moves[2:]:
        if word == "set":
            session.configure(Settings(*values))
        elif word == "restart":
            session.restart(values[0])
            yield Replayed(session.frame, checksum(session.frame) == next(checks))
        else:
            for action in values[0]:
                frame = session.step(action)
                yield Replayed(frame, checksum(frame) == next(checks))


def rule_rates(log: Log, frames: Sequence[np.ndarray], referee: Referee) -> dict[str, float]:
    """How often each part of a session followed the rules, over all steps with two frames before them.

    Args:
        log: of the session.
        frames: all that it made, as `replay` yields them.
        referee: of the game.

    Returns:
        A rate for each of the referee's parts; NaN if there is no such step.
    """
    starts: list[list[int]] = []
    for word, *values in log.moves:
        if word == "restart":
            starts.append([])
        elif word == "keys":
            starts[-1] += values[0]
    verdicts, first = [], 0
    for actions in starts:
        readings = [referee.read(frame) for frame in frames[first : first + len(actions) + 1]]
        verdicts += [referee.judge(readings[k : k + 3], actions[k : k + 2]) for k in range(len(actions) - 1)]
        first += len(actions) + 1
    rates = np.mean(verdicts, axis=0) if verdicts else np.full(len(referee.parts), np.nan)
    return dict(zip(referee.parts, map(float, rates)))
