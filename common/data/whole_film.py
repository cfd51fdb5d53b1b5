"""Windows of the whole film by number, for training: more than a hundred shots, where the repository bundles twelve.

The film is an optional source, `flipbook data fetch big-buck-bunny`. Its pictures are decoded once, to `KEPT_HEIGHT`
rows, and kept as one array in the user's cache (1.6 GB).
"""

import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional as F

from common.data.bundled import clips, excerpts
from common.data.film import HELD_OUT
from common.data.sources import find_source, source_path
from common.files import put_in_place
from common.progress import progress_bar
from common.runtime import cache_dir
from common.video.reader import VideoReader

SOURCE = "big-buck-bunny"
KEPT_HEIGHT, KEPT_WIDTH = 144, 256  # pixels
CHUNK = 96  # frames decoded at a time
TITLES_END, CREDITS_BEGIN = 285, 11_671  # film frames: before the first and after the second there is text
MARGIN = 48  # film frames on both sides of a held-out piece that no shot of the training data may touch
MAX_STEP = 3  # frames of the film from one frame of a clip to the next, at most


@dataclass(frozen=True)
class Window:
    """Where a clip was cut out: everything that its number has decided.

    Attributes:
        frames: of the film, one for each frame of the clip; in falling order where time is reversed.
        top, left, side: of the square that is kept, in pixels at `KEPT_HEIGHT`.
        is_mirrored: left and right are exchanged.
    """

    frames: range
    top: int
    left: int
    side: int
    is_mirrored: bool


@dataclass(frozen=True)
class WholeFilmData:
    """Clips cut out of the whole film, except its titles, its credits, and everything near a held-out piece.

    Held out are the shots of `common.data.film.HELD_OUT` and the bundled excerpt with cuts. A shot that comes within
    `MARGIN` frames of one of these is left out as a whole. The same number gives the same clip.

    A window is found as in `FilmData`: every frame or every second or third one of a single shot, of which a longer
    one is drawn more often; a square, from `size` rows up to the whole height of the picture, mirrored half the time.
    Besides, time runs backwards half the time.

    Attributes:
        num_frames, size: of the clips.
        seed: of the choices.
    """

    num_frames: int = 17
    size: int = 64
    seed: int = 0
    key: str = field(init=False)

    def __post_init__(self):
        if not 1 <= self.size <= KEPT_HEIGHT:
            raise ValueError(f"size must be from 1 to {KEPT_HEIGHT} pixels, got {self.size}")
        object.__setattr__(self, "key", f"whole film, {self.num_frames}x{self.size}, seed {self.seed}")

    def batch(self, indices) -> torch.Tensor:
        """The clips with these numbers: uint8 `(B, 3, T, H, W)`."""
        return torch.stack([self.clip(int(index)) for index in indices])

    def clip(self, index: int) -> torch.Tensor:
        """One clip: uint8 `(3, T, H, W)`."""
        window = self.window(index)
        rows, columns = (slice(first, first + window.side) for first in (window.top, window.left))
        pixels = torch.from_numpy(film_pictures()[list(window.frames), rows, columns]).permute(3, 0, 1, 2)
        if window.is_mirrored:
            pixels = pixels.flip(-1)
        small = F.interpolate(pixels.float(), size=(self.size, self.size), mode="bilinear", antialias=True)
        return small.round().clamp(0, 255).to(torch.uint8)

    def window(self, index: int) -> Window:
        """Where clip `index` comes from."""
        shots = [shot for shot in training_shots() if len(shot) >= self.num_frames]
        random = np.random.default_rng([self.seed, index])
        lengths = np.array([len(shot) for shot in shots])
        shot = shots[random.choice(len(shots), p=lengths / lengths.sum())]
        step = int(random.integers(1, 1 + min(MAX_STEP, (len(shot) - 1) // max(self.num_frames - 1, 1))))
        span = (self.num_frames - 1) * step + 1
        first = shot.start + int(random.integers(len(shot) - span + 1))
        frames = range(first, first + span, step)
        side = int(random.integers(self.size, KEPT_HEIGHT + 1))
        top, left = int(random.integers(KEPT_HEIGHT - side + 1)), int(random.integers(KEPT_WIDTH - side + 1))
        is_mirrored, is_reversed = random.integers(2, size=2).astype(bool).tolist()
        return Window(frames[::-1] if is_reversed else frames, top, left, side, is_mirrored)


def held_out_frames() -> list[range]:
    """The pieces of the film, in its frames, never trained on: the held-out shots, and the excerpt with cuts."""
    pieces = [shot for shot in clips() if shot.name in HELD_OUT] + excerpts()
    return sorted((range(p.film_frame, p.film_frame + p.num_frames) for p in pieces), key=lambda piece: piece.start)


@lru_cache(maxsize=1)
def training_shots() -> tuple[range, ...]:
    """The shots of the film, in its frames, that a model may be trained on, in order."""
    cuts = find_source(SOURCE).cuts
    held_out = held_out_frames()
    shots = (range(*ends) for ends in pairwise(cuts))
    return tuple(
        shot
        for shot in shots
        if shot.start >= TITLES_END
        and shot.stop <= CREDITS_BEGIN
        and not any(shot.start < piece.stop + MARGIN and piece.start - MARGIN < shot.stop for piece in held_out)
    )


@lru_cache(maxsize=1)
def film_pictures() -> np.ndarray:
    """Every frame of the film, uint8 `(N, KEPT_HEIGHT, KEPT_WIDTH, 3)`, read from the disk where it is asked for.

    Raises:
        DataError: the film has not been fetched.
    """
    kept = cache_dir() / f"{SOURCE}-{find_source(SOURCE).sha256[:8]}-{KEPT_HEIGHT}.npy"
    if not kept.is_file():
        with VideoReader(source_path(SOURCE)) as reader:
            partial = kept.with_name(f".{secrets.token_hex(8)}.npy")
            try:
                shape = (len(reader), KEPT_HEIGHT, KEPT_WIDTH, 3)
                pictures = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
                with progress_bar(total=len(reader), unit="frame", desc="decoding the film once") as bar:
                    for start in range(0, len(reader), CHUNK):
                        numbers = range(start, min(start + CHUNK, len(reader)))
                        pictures[start : numbers.stop] = reader.read(numbers, size=KEPT_HEIGHT)
                        bar.update(len(numbers))
                pictures.flush()
                put_in_place(partial, kept)
            finally:
                partial.unlink(missing_ok=True)
    return np.load(kept, mmap_mode="r")
