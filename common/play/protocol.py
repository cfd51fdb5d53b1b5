"""The messages between page and server. The page pulls: one small message with the keys, one frame back.

Numbers are little-endian. From the page, binary: `1, held (4 bytes)`. Everything rarer is JSON with a word `do`. From
the server, binary, by the first byte: a frame, a file to save, an audit. JSON: what the page should know or say.
"""

import json
import math
import struct
from dataclasses import dataclass

import numpy as np

from common.play.settings import Settings

FRAME, FILE, AUDIT = 1, 2, 3
ASK = struct.Struct("<BI")
LONGEST = 1024  # bytes of a message from the page
MOST_STEPS, MOST_NOISE = 8, 1.0
COMMANDS = ("restart", "settings", "record", "save video", "save log")
SLOWEST, FASTEST = 1, 120  # frames per second of a recording


class ProtocolError(ValueError):
    """The page does not send this."""


@dataclass(frozen=True)
class Ask:
    """The page wants the next frame.

    Attributes:
        held: bit k is set while button k is held.
    """

    held: int


@dataclass(frozen=True)
class Command:
    """Anything else.

    Attributes:
        do: one of `COMMANDS`.
        seed: of a restart; None for another one than now.
        settings: of the sampler, for `settings`.
        fps: of the video to be saved.
    """

    do: str
    seed: int | None = None
    settings: Settings | None = None
    fps: float = 20.0


def read(message: bytes | str) -> Ask | Command:
    """What the page says.

    Raises:
        ProtocolError: it says something that there is not.
    """
    if isinstance(message, bytes):
        if len(message) != ASK.size or message[0] != FRAME:
            raise ProtocolError("a binary message is 1 and the held buttons, 5 bytes")
        return Ask(ASK.unpack(message)[1])
    try:
        words = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("a text message is JSON") from error
    if not isinstance(words, dict) or words.get("do") not in COMMANDS:
        raise ProtocolError(f"a text message has a word `do`, one of {', '.join(COMMANDS)}")
    seed = None if words.get("seed") is None else int(_number(words, "seed", 0, 2**31 - 1))
    settings = None
    if words["do"] == "settings":
        steps, noise = _number(words, "num_steps", 1, MOST_STEPS), _number(words, "context_noise", 0, MOST_NOISE)
        settings = Settings(int(steps), float(noise))
    fps = _number(words, "fps", SLOWEST, FASTEST) if words["do"] == "save video" else 20.0
    return Command(words["do"], seed, settings, float(fps))


def _number(words: dict, name: str, least: float, most: float) -> float:
    number = words.get(name)
    is_number = isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number)
    if not is_number or not least <= number <= most:
        raise ProtocolError(f"{name} is a number from {least} to {most}")
    return number


def frame_message(number: int, action: int, milliseconds: float, frame: np.ndarray) -> bytes:
    """A frame: 12 bytes of numbers, then `(H, W, 3)`."""
    return struct.pack("<BBHIf", FRAME, action, 0, number, milliseconds) + frame.tobytes()


def audit_message(number: int, numbers: list[float], twin: np.ndarray | None) -> bytes:
    """What the audit of a frame says: 8 bytes, its numbers as float32, then the engine's frame if there is one."""
    head = struct.pack(f"<BBHI{len(numbers)}f", AUDIT, len(numbers), 0, number, *numbers)
    return head + (b"" if twin is None else twin.tobytes())


def file_message(name: str, content: bytes) -> bytes:
    """A file for the page to save."""
    encoded = name.encode()
    return struct.pack("<BB", FILE, len(encoded)) + encoded + content
