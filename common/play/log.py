"""The action log: what was pressed, and a checksum of every frame, so that a session can be played again and proved."""

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from common.play.errors import PlayError

FORMAT = "flipbook play log 1"


@dataclass
class Log:
    """All that made a session's frames.

    Attributes:
        world: the weights' name or folder; None if the engine itself was played.
        game: the name of the game, or `file.py:Class`; None for an object of a notebook.
        moves: in order: `["set", num_steps, context_noise]`, `["restart", seed]`, `["keys", [action, ...]]`.
        checks: CRC-32 of every frame, the first of each start among them.
    """

    world: str | None
    game: str | None
    moves: list[list] = field(default_factory=list)
    checks: list[int] = field(default_factory=list)

    def restart(self, seed: int) -> None:
        """A start."""
        self.moves.append(["restart", seed])

    def set(self, num_steps: int, context_noise: float) -> None:
        """Settings of the sampler."""
        self.moves.append(["set", num_steps, context_noise])

    def act(self, action: int) -> None:
        """An action."""
        if not self.moves or self.moves[-1][0] != "keys":
            self.moves.append(["keys", []])
        self.moves[-1][1].append(int(action))

    def saw(self, frame: np.ndarray) -> None:
        """A frame."""
        self.checks.append(checksum(frame))

    def to_bytes(self) -> bytes:
        """The file."""
        words = {"format": FORMAT, "world": self.world, "game": self.game, "moves": self.moves, "checks": self.checks}
        return json.dumps(words, separators=(",", ":")).encode()

    @classmethod
    def from_file(cls, path: str | Path) -> "Log":
        """Raises PlayError: the file is no log of this kind."""
        try:
            words = json.loads(Path(path).read_text(encoding="utf-8"))
            if words["format"] != FORMAT:
                raise PlayError(f"{path} is a log of another version: {words['format']!r}, not {FORMAT!r}")
            log = cls(words["world"], words["game"], words["moves"], words["checks"])
            is_whole = all(_is_move(move) for move in log.moves) and len(log.checks) == log.num_frames
        except (OSError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, PlayError):
                raise
            raise PlayError(f"{path} cannot be read as a log of `flipbook play`: {error}") from error
        if not is_whole:
            raise PlayError(f"{path} is damaged: its moves and its frames do not fit")
        return log

    @property
    def num_frames(self) -> int:
        """How many frames the moves make."""
        return sum(len(move[1]) if move[0] == "keys" else move[0] == "restart" for move in self.moves)


def checksum(frame: np.ndarray) -> int:
    """CRC-32 of the pixels."""
    return zlib.crc32(np.ascontiguousarray(frame).tobytes())


def _is_move(move: list) -> bool:
    word, *values = move
    if word == "keys":
        return len(values) == 1 and all(isinstance(action, int) for action in values[0])
    return (word, len(values)) in (("restart", 1), ("set", 2)) and all(isinstance(v, (int, float)) for v in values)
