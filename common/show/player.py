"""A clip that plays inside a stored notebook: no script, no widget, no style sheet, and small."""

import base64
import html
import io
from dataclasses import dataclass

from PIL import Image

from common.show.frames import as_frames, scale

QUALITIES = (70, 40)  # of WebP and JPEG, tried in this order


@dataclass(frozen=True, repr=False)
class Player:
    """A looping animation: Jupyter shows its HTML; a reader of notebooks that shows none gets the poster.

    The animation is an animated WebP inside an `<img>`. Browsers have played those since 2020, and an image survives
    the cleaning of notebooks of unknown origin, which takes scripts and style sheets away.

    Attributes:
        animation: a WebP file.
        poster: the middle frame, a JPEG file.
        size: `(width, height)` of both, in pixels.
        num_frames: of the clip.
        fps: frames per second as it plays.
        caption: a line below it, or "".
    """

    animation: bytes
    poster: bytes
    size: tuple[int, int]
    num_frames: int
    fps: float
    caption: str = ""

    @property
    def stored_bytes(self) -> int:
        """How much a notebook grows by: both files as base64 text."""
        return sum(4 * -(-len(part) // 3) for part in (self.animation, self.poster))

    def __repr__(self) -> str:
        width, height = self.size
        kilobytes = self.stored_bytes / 1000
        return f"Player({self.num_frames} frames at {self.fps:g} fps, {width}x{height}, {kilobytes:.0f} kB)"

    def _repr_html_(self) -> str:
        width, height = self.size
        source = "data:image/webp;base64," + base64.b64encode(self.animation).decode()
        caption = html.escape(self.caption)
        about = caption or f"{self.num_frames} frames at {self.fps:g} frames a second"
        below = f'<div style="font-size: 0.9em; opacity: 0.75">{caption}</div>' if caption else ""
        picture = f'<img src="{source}" width="{width}" height="{height}" alt="{about}" title="{about}">'
        return f'<div class="flipbook-player">{picture}{below}</div>'

    def _repr_jpeg_(self) -> bytes:
        return self.poster


def player(clip, fps: float, *, width: int | None = None, max_bytes: int = 200_000, caption: str = "") -> Player:
    """A clip that plays in a notebook and stays in it when it is stored.

    Args:
        clip: `(C, T, H, W)` in [-1, 1], or uint8 frames `(T, H, W, C)`.
        fps: frames per second at which it plays.
        width: in pixels. If None: the clip's own, but at least 128 and at most 320.
        max_bytes: how much the notebook may grow by; quality, then size, give way until it fits.
        caption: a line below it.

    Raises:
        ValueError: the clip cannot be shown, `fps` is not above 0, or so many frames do not fit at any quality.
    """
    frames = as_frames(clip)
    if not fps > 0:
        raise ValueError(f"fps must be above 0, got {fps}")
    width = min(320, max(128, frames.shape[2])) if width is None else width
    while width >= 32:
        pictures = [scale(frame, width) for frame in frames]
        for quality in QUALITIES:
            animation, poster = _animation(pictures, fps, quality), _poster(pictures, quality)
            made = Player(animation, poster, pictures[0].size, len(pictures), fps, caption)
            if made.stored_bytes <= max_bytes:
                return made
        # Bytes grow about as the area does: the next width is the one that should just fit.
        width = int(width * min(0.9, 0.95 * (max_bytes / made.stored_bytes) ** 0.5))
    raise ValueError(f"{len(frames)} frames do not fit in {max_bytes} bytes: show fewer of them, or allow more")


def _animation(pictures: list[Image.Image], fps: float, quality: int) -> bytes:
    # WebP counts whole milliseconds: rounding each frame's end, not its length, keeps the speed exact over the clip.
    ends = [round(1000 * (k + 1) / fps) for k in range(len(pictures))]
    durations = [end - begin for begin, end in zip([0, *ends], ends)]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, "WEBP", save_all=True, append_images=pictures[1:], duration=durations, loop=0, quality=quality, method=4
    )
    return buffer.getvalue()


def _poster(pictures: list[Image.Image], quality: int) -> bytes:
    buffer = io.BytesIO()
    pictures[len(pictures) // 2].save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()
