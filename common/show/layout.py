"""The drawing that all sheets share: rows of frames on paper, with names above and labels below."""

import importlib.util
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from common.show.frames import scale
from common.show.picture import Picture

PAPER = (250, 248, 243)  # a warm white: readable on light and dark notebook themes alike
INK = (45, 42, 38)
FAINT = (120, 114, 105)
ACCENT = (200, 70, 30)
GAP = 6  # pixels between two frames
MARGIN = 10
TITLE_GAP = 4  # more air below the title than below a row's name


def draw(cells, width: int, *, title=None, names=None, footer=None) -> Picture:
    """Lay out rows of `(frame, label, is_highlighted)`; `names`, where given, stand above their rows."""
    if width < 16:
        raise ValueError(f"frames are at least 16 pixels wide here, got width={width}")
    letters = _text_size(width)
    big = max(12, letters)  # letters of the title and the names
    line = big + 5
    pictures = [[scale(frame, width) for frame, _, _ in row] for row in cells]
    heights = [max(picture.height for picture in row) for row in pictures]
    num_lines = bool(title) + bool(footer) + (len(names) if names else 0) + len(cells)
    columns = max(len(row) for row in cells)
    inner = columns * width + (columns - 1) * GAP
    height = sum(heights) + num_lines * line + (len(cells) - 1) * GAP + bool(title) * TITLE_GAP + 2 * MARGIN
    sheet = Image.new("RGB", (inner + 2 * MARGIN, height), PAPER)
    pen = ImageDraw.Draw(sheet)

    y = MARGIN
    if title:
        _write(pen, (MARGIN, y), title, width=inner, size=big + 2)
        y += line + TITLE_GAP
    for number, (row, row_pictures) in enumerate(zip(cells, pictures)):
        if names:
            _write(pen, (MARGIN, y), names[number], width=inner, size=big)
            y += line
        for column, ((_, label, is_highlighted), picture) in enumerate(zip(row, row_pictures)):
            x = MARGIN + column * (width + GAP)
            sheet.paste(picture, (x, y))
            if is_highlighted:
                pen.rectangle((x - 3, y - 3, x + width + 2, y + picture.height + 2), outline=ACCENT, width=3)
            colour = ACCENT if is_highlighted else FAINT
            _write(pen, (x, y + heights[number] + 3), label, width=width, size=letters - 1, colour=colour)
        y += heights[number] + line + GAP
    if footer:
        _write(pen, (MARGIN, y - GAP), footer, width=inner, size=big)
    return Picture(sheet)


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans as matplotlib ships it (without importing matplotlib), because PIL's own font has few signs."""
    found = importlib.util.find_spec("matplotlib")
    path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf" if found else Path("absent")
    return ImageFont.truetype(path, size) if path.is_file() else ImageFont.load_default(size)


def _text_size(width: int) -> int:
    """Height of a label's letters, in pixels, for frames of this width."""
    return max(11, min(16, round(width / 12)))


def _write(pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, *, width: int, size: int, colour=INK) -> None:
    """Write one line at `place`, in smaller letters or with an ellipsis where it would be wider than `width`."""
    while size > 8 and pen.textlength(text, _font(size)) > width:
        size -= 1
    while len(text) > 1 and pen.textlength(text, _font(size)) > width:
        text = text.rstrip("…")[:-1] + "…"
    pen.text(place, text, fill=colour, font=_font(size))
