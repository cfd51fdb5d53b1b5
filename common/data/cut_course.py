"""A film made to be hard for cut detectors, out of bundled shots: eight true cuts, and five events that are none."""

from dataclasses import dataclass

import numpy as np

from common.data.bundled import clip_path
from common.video.reader import read_frames


@dataclass(frozen=True)
class CutCourse:
    """A film and where its shots begin.

    Attributes:
        pieces: name to frames, uint8 (T, H, W, 3); every piece is one shot, though some seem to be two.
        starts: number of each piece's first frame, and the length of the film.
    """

    pieces: dict[str, np.ndarray]
    starts: list[int]

    @property
    def frames(self) -> np.ndarray:
        """The whole film, uint8 (T, H, W, 3)."""
        return np.concatenate(list(self.pieces.values()))

    @property
    def cuts(self) -> list[int]:
        """The frames at which a new shot begins."""
        return self.starts[1:-1]

    def part(self, name: str, first: int, num_frames: int) -> tuple[np.ndarray, int]:
        """Some frames of a piece, a copy, and the film's number of the first of them."""
        return self.pieces[name][first : first + num_frames].copy(), self.starts[list(self.pieces).index(name)] + first


def cut_course(size: int) -> CutCourse:
    """The obstacle course: flash, fade, title card, dissolve, whip pan, a fast shot, and a cut to a mirrored view.

    Args:
        size: shorter side of the frames, in pixels.
    """

    def shot(name, num_frames, start=0):
        return read_frames(clip_path(name), range(start, start + num_frames), size=size)

    pieces = {
        "flash": flash(shot("glade", 40)),
        "fade": fade(shot("bird_song", 30), shot("burrow", 30)),
        "card": title_card(*shot("glade", 1).shape[1:3]),
        "dissolve": dissolve(shot("butterfly", 36), shot("fruit_falls", 36)),
        "whip pan": whip_pan(shot("flower_sniff", 1)[0]),
        "fast": shot("leap", 40),
        "canopy": shot("canopy_flight", 30),
        "rope": shot("rope_skipping", 30),
        "mirrored": shot("rope_skipping", 30, start=30)[:, :, ::-1],
    }
    return CutCourse(pieces, np.cumsum([0, *map(len, pieces.values())]).tolist())


def mix(first, second, weight) -> np.ndarray:
    """Two pictures or films, one over the other: uint8, with `weight` (a number or an array) of the second."""
    return (first * (1 - weight) + second * weight).round().astype(np.uint8)


def flash(frames: np.ndarray) -> np.ndarray:
    """A shot whose middle is lit up, nearly white, for two frames."""
    frames, middle = frames.copy(), len(frames) // 2
    frames[middle : middle + 2] = mix(frames[middle : middle + 2], 255, 0.85)
    return frames


def fade(out: np.ndarray, back: np.ndarray) -> np.ndarray:
    """The last ten frames of one shot go to black, and the first ten of the other come back from there."""
    light = np.linspace(1, 0, 11)[1:, None, None, None]
    return np.concatenate([out[:-10], mix(0, out[-10:], light), mix(0, back[:10], light[::-1]), back[10:]])


def title_card(height: int, width: int) -> np.ndarray:
    """A plain picture that comes up from black in 30 frames and stays for ten."""
    card = np.full((40, height, width, 3), (30, 90, 160), np.uint8)
    card[:30] = mix(0, card[:30], np.linspace(0, 1, 31)[1:, None, None, None])
    return card


def dissolve(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The last twelve frames of one shot turn into the first twelve of the other."""
    weight = np.linspace(0, 1, 14)[1:-1, None, None, None]
    return np.concatenate([first[:-12], mix(first[-12:], second[:12], weight), second[12:]])


def whip_pan(picture: np.ndarray) -> np.ndarray:
    """A camera that swings once, very fast, along a wall of mirrored copies of the picture `(H, W, 3)`."""
    width = picture.shape[1]
    wide = np.concatenate([picture, picture[:, ::-1], picture, picture[:, ::-1]], axis=1)
    speed = np.array([0] * 14 + [3, 9, 18, 24, 24, 24, 18, 9, 3] + [0] * 14) * width // 100
    return np.stack([wide[:, x : x + width] for x in speed.cumsum()])
