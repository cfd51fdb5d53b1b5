"""From the stored picture (luma and two colour differences, in some matrix and range) to upright RGB bytes."""

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from common.video.cropping import NO_CROP, Crop
from common.video.errors import UnsupportedVideoError

# ITU-T H.273, table 4 (MatrixCoefficients): the number in the stream -> our word for it.
MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}
UNSTATED = (0, 2, 3)  # 0 is "these are RGB already", which on a YUV picture says nothing
# Our word -> the number under which the scaler knows the matrix.
SCALER_MATRICES = {"bt709": 1, "fcc": 4, "bt601": 5, "smpte240m": 7, "bt2020": 9, "rgb": 1}
LARGEST_SD_HEIGHT = 576


def color_matrix(frame) -> str:
    """The YUV matrix of a frame: what the stream says, else by height (BT.601 up to 576 lines, BT.709 above)."""
    if frame.format.is_rgb:
        return "rgb"
    if frame.colorspace in UNSTATED:
        return "bt601" if frame.height <= LARGEST_SD_HEIGHT else "bt709"
    if frame.colorspace not in MATRICES:
        raise UnsupportedVideoError(
            f"this video uses colour matrix {frame.colorspace} of ITU-T H.273, which is not supported. "
            "Convert it to BT.709 first."
        )
    return MATRICES[frame.colorspace]


def color_range(frame) -> str:
    """`limited` (luma 16 to 235) or `full` (0 to 255): as the stream says, else limited for YUV, full for RGB, grey."""
    if frame.format.is_rgb or frame.format.name.startswith("yuvj"):
        return "full"
    if frame.color_range == ColorRange.UNSPECIFIED:
        return "full" if len(frame.format.components) < 3 else "limited"
    return "full" if frame.color_range == ColorRange.JPEG else "limited"


def to_rgb(
    frame: av.VideoFrame, width: int, height: int, reformatter: VideoReformatter, crop: Crop = NO_CROP
) -> np.ndarray:
    """Converts one decoded frame by its own matrix and range.

    A picture that keeps its size takes the scaler's fast path, as in PyAV and decord: within 3 levels of exact
    arithmetic. Another size is bicubic and comes out of the same pass. Transparency is dropped: colours are given as
    stored. More than 8 bits are rounded to 8. Transfer curves are left alone: an HDR picture is not tone-mapped.

    Args:
        frame: A decoded frame.
        width: Of the result, in pixels, in the stored orientation.
        height: The same.
        reformatter: Keeps the scaler's tables from frame to frame.
        crop: Cut off before scaling. A frame that is too small for it stays whole.

    Returns:
        uint8 (H, W, 3), a view into the converted frame's memory.

    Raises:
        UnsupportedVideoError: the frame's colour matrix is none that the scaler knows.
    """
    if any(crop) and min(crop.size(frame.width, frame.height)) > 0:
        whole = to_rgb(frame, frame.width, frame.height, reformatter)
        picture = whole[crop.top : frame.height - crop.bottom, crop.left : frame.width - crop.right]
        if picture.shape[:2] == (height, width):
            return picture
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture))
    matrix = SCALER_MATRICES[color_matrix(frame)]
    keeps_size = (frame.width, frame.height) == (width, height)
    rgb = reformatter.reformat(
        frame,
        width,
        height,
        "rgb24",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=ColorRange.JPEG if color_range(frame) == "full" else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        threads=1,
        interpolation=Interpolation.BILINEAR if keeps_size else Interpolation.BICUBIC,
    )
    plane = rgb.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(height, plane.line_size)  # each row may end in padding
    return rows[:, : 3 * width].reshape(height, width, 3)
