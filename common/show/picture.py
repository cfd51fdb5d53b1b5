"""A picture that shows itself in a notebook at a size worth storing, and the drawing that all sheets share."""

import importlib.util
import io
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

PAPER = (250, 248, 243)  # a warm white: readable on light and dark notebook themes alike
INK = (45, 42, 38)
FAINT = (120, 114, 105)
ACCENT = (200, 70, 30)
GAP = 6  # pixels between two frames
MARGIN = 10
JPEG_QUALITY = 85


class Picture(Image.Image):
    """A PIL image that a notebook stores once: few colours as a palette PNG (exact), film as JPEG (small).

    A plain PIL image would be stored twice, as PNG and as JPEG.
    """

    def __init__(self, image: Image.Image):
        super().__init__()
        self.__setstate__(image.convert("RGB").__getstate__())

    def _repr_png_(self) -> bytes | None:
        return self._encoded("PNG") if self._has_few_colours() else None

    def _repr_jpeg_(self) -> bytes | None:
        return None if self._has_few_colours() else self._encoded("JPEG")

    def _has_few_colours(self) -> bool:
        return self.getcolors(256) is not None

    def _encoded(self, form: str) -> bytes:
        buffer = io.BytesIO()
        if form == "PNG":
            palette = self.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            palette.save(buffer, "PNG", optimize=True)
        else:
            self.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
        return buffer.getvalue()


@lru_cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans as matplotlib ships it (without importing matplotlib), because PIL's own font has few signs."""
    found = importlib.util.find_spec("matplotlib")
    path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf" if found else Path("absent")
    return ImageFont.truetype(path, size) if path.is_file() else ImageFont.load_default(size)


def text_size(width: int) -> int:
    """Height of a label's letters, in pixels, for frames of this width."""
    return max(10, min(15, round(width / 14)))


def paper(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty sheet, and the pen for it."""
    sheet = Image.new("RGB", (width, height), PAPER)
    return sheet, ImageDraw.Draw(sheet)


def write(pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, *, width: int, size: int, colour=INK) -> None:
    """Write one line at `place`, in smaller letters or with an ellipsis where it would be wider than `width`."""
    while size > 8 and pen.textlength(text, font(size)) > width:
        size -= 1
    while len(text) > 1 and pen.textlength(text, font(size)) > width:
        text = text.rstrip("…")[:-1] + "…"
    pen.text(place, text, fill=colour, font=font(size))
