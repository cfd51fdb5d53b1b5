"""A picture that shows itself in a notebook at a size worth storing."""

import io

from PIL import Image

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
