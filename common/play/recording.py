"""What is kept of a session as a video."""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from common.video import writer


def video(frames: list[np.ndarray], fps: float) -> bytes:
    """Frames `(H, W, 3)` uint8 as the content of an mp4 file."""
    with tempfile.TemporaryDirectory() as folder:
        return write(Path(folder) / "play.mp4", frames, fps).read_bytes()


def write(path: Path, frames: Iterable[np.ndarray], fps: float) -> Path:
    """The same as a file. Small frames are `writer.enlarged`."""
    return writer.write(path, (writer.enlarged(frame) for frame in frames), fps, quality=12)


def plain(title: str) -> str:
    """A title as part of a file's name."""
    return re.sub(r"[^\w.-]+", "-", title).strip("-.") or "play"
