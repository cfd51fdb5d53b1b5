"""Which way up: phones store every picture as the sensor saw it, and a matrix that says how to turn it."""

from typing import NamedTuple

import numpy as np


class Orientation(NamedTuple):
    """How a stored picture becomes an upright one: swap rows and columns first, then mirror."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @property
    def degrees(self) -> int:
        """The clockwise turn, in degrees: 0, 90, 180 or 270 (a mirror on top of it is not counted)."""
        if self.transpose:
            return 270 if self.flip_rows else 90
        return 180 if self.flip_rows else 0

    def upright(self, picture: np.ndarray) -> np.ndarray:
        """The picture (H, W, C), turned: a view, (W, H, C) when rows and columns are swapped."""
        if self.transpose:
            picture = picture.swapaxes(0, 1)  # (W, H, C)
        return picture[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]


def orientation_of(frame) -> Orientation:
    """Reads a frame's display matrix; quarter turns and mirrors are honoured, other angles go to the nearest of them.

    The matrix sends a stored pixel (x, y) to (a x + c y, b x + d y), y pointing down
    (ISO/IEC 14496-12, 8.3.2: the matrix of the track header, 16.16 fixed point).
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(transpose=True, flip_rows=b < 0, flip_columns=c < 0)
    return Orientation(transpose=False, flip_rows=d < 0, flip_columns=a < 0)
