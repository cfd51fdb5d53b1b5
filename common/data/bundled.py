"""The film that comes with the repository: fifteen shots of Big Buck Bunny, and one excerpt with its true cuts."""

import json
from dataclasses import dataclass
from pathlib import Path

from common.data.download import DataError
from common.data.sources import datasets_dir, file_sha256

FOLDER = "big_buck_bunny"


@dataclass(frozen=True)
class Clip:
    """One bundled file.

    Attributes:
        name: short name, such as `leap`.
        path: the file.
        num_frames: its length in frames.
        fps: frames per second, constant.
        width, height: in pixels.
        film_frame: where it begins in the whole film, in frames.
        cuts: frames at which a new shot begins, counted from the clip's start; empty for a single shot.
        motion: motion score a frame of the shot (of each shot, where there are cuts).
        description: what is seen.
        sha256: the file's checksum.
        licence, credit: what to say wherever it is shown.
    """

    name: str
    path: Path
    num_frames: int
    fps: float
    width: int
    height: int
    film_frame: int
    cuts: tuple[int, ...]
    motion: float | tuple[float, ...]
    description: str
    sha256: str
    licence: str
    credit: str

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.num_frames / self.fps

    def status(self) -> str:
        """`ok`, `absent` or `damaged`."""
        if not self.path.is_file():
            return "absent"
        return "ok" if file_sha256(self.path) == self.sha256 else "damaged"


def clips() -> list[Clip]:
    """The bundled shots, slowest first. None of them holds a cut or a fade.

    Raises:
        DataError: the repository's `datasets/` folder is not there (an installed library has none).
    """
    return sorted((clip for clip in _bundled() if not clip.cuts), key=lambda clip: clip.motion)


def excerpts() -> list[Clip]:
    """The bundled pieces of film that hold several shots; `cuts` says where each new one begins."""
    return [clip for clip in _bundled() if clip.cuts]


def find_clip(name: str) -> Clip:
    """The bundled shot or excerpt with this name.

    Raises:
        DataError: there is none; the message lists those there are.
    """
    known = {clip.name: clip for clip in _bundled()}
    if name not in known:
        raise DataError(f"there is no bundled clip {name!r}. The clips are: {', '.join(sorted(known))}.")
    return known[name]


def clip_path(name: str) -> Path:
    """The file of a bundled shot or excerpt.

    Raises:
        DataError: no clip has this name, or its file is missing from the checkout.
    """
    path = find_clip(name).path
    if not path.is_file():
        raise DataError(f"{path} is missing from this checkout. Bring it back: git checkout -- datasets")
    return path


def _bundled() -> list[Clip]:
    folder = datasets_dir() / FOLDER
    document = json.loads((folder / "clips.json").read_text(encoding="utf-8"))
    return [_clip(name, row, folder, document) for name, row in document["clips"].items()]


def _clip(name: str, row: dict, folder: Path, document: dict) -> Clip:
    motion = tuple(row["motion"]) if isinstance(row["motion"], list) else row["motion"]
    return Clip(
        name=name,
        path=folder / row["file"],
        num_frames=row["num_frames"],
        fps=float(row["fps"]),
        width=row["width"],
        height=row["height"],
        film_frame=row["film_frame"],
        cuts=tuple(row["cuts"]),
        motion=motion,
        description=row["description"],
        sha256=row["sha256"],
        licence=document["licence"],
        credit=document["credit"],
    )
