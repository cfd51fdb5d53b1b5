"""A session played again from its log, and compared with what was seen then."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from common.play.errors import PlayError
from common.play.log import Log, checksum
from common.play.playable import Playable
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
