"""Difficult copies of a film, to try loaders on, and a decode that nothing can fool."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from common.video.peers import silenced
from common.video.reader import VideoReader
from common.video.writer import write


def decode_everything(path) -> np.ndarray:
    """Every frame of a file, uint8 (T, H, W, 3) in order, by nothing but a decoder that starts at the beginning."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def drop_frames(source, path) -> Path:
    """A recording with a varying rate: a frame is kept when 2 % of the range has changed since the last one kept."""
    with VideoReader(source) as reader:
        frames, times = reader.read(range(len(reader)), size=240), reader.timestamps
    kept = [0]
    for i in range(1, len(frames)):
        if np.abs(frames[i].astype(np.int16) - frames[kept[-1]]).mean() > 0.02 * 255:
            kept.append(i)
    return write(path, frames[kept], fps=24, timestamps=times[kept].tolist())


def as_television(source, path) -> Path:
    """The packets as they are, from the second keyframe on, in a transport stream: nothing is decoded or coded."""
    with av.open(str(source)) as film, av.open(str(path), "w") as copy:
        stream = copy.add_stream_from_template(film.streams.video[0])
        num_keyframes = 0
        for packet in film.demux(film.streams.video[0]):
            num_keyframes += packet.is_keyframe
            if num_keyframes >= 2 and packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    return path


COLOURS = np.array(
    [
        [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)],
        [(255, 255, 0), (0, 255, 255), (255, 0, 255), (0, 0, 0)],
        [(200, 120, 60), (60, 120, 200), (30, 90, 30), (128, 128, 128)],
    ],
    np.uint8,
)
MATRIX = {"BT.601": 5, "BT.709": 1}  # as ITU-T H.273 numbers them
LIMITED, FULL = 1, 2
CASES: dict[str, dict] = {  # name -> how a colour film is made
    "709, said": {"matrix": "BT.709"},
    "601, said": {"matrix": "BT.601"},
    "709, unsaid": {"matrix": "BT.709", "is_tagged": False},
    "601, unsaid": {"matrix": "BT.601", "is_tagged": False},
    "709 full, said": {"matrix": "BT.709", "is_full_range": True},
    "709 full, unsaid": {"matrix": "BT.709", "is_full_range": True, "is_tagged": False},
}


def colour_film(path, matrix: str, *, is_full_range: bool = False, is_tagged: bool = True) -> Path:
    """Six frames of the twelve `COLOURS`, 720 lines, made with this matrix and range; the file says so or not."""
    color_range = FULL if is_full_range else LIMITED
    picture = COLOURS.repeat(240, axis=0).repeat(64, axis=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "1", "preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], "yuv420p"
        if is_tagged:
            stream.codec_context.colorspace, stream.codec_context.color_range = MATRIX[matrix], color_range
        for i in range(6):
            spaces = {"src_colorspace": MATRIX[matrix], "dst_colorspace": MATRIX[matrix]}
            ranges = {"src_color_range": FULL, "dst_color_range": color_range}
            frame = av.VideoFrame.from_ndarray(picture).reformat(format="yuv420p", **spaces, **ranges)
            frame.pts, frame.time_base = i, Fraction(1, 24)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def colour_errors(read: Callable, path: Path) -> dict[str, float]:
    """The worst error of a loader in a patch's mean colour, in levels of 255, for each of the `CASES`.

    Args:
        read: `read(path, indices)` gives uint8 frames (N, H, W, 3).
        path: where the films are written, one after the other.
    """
    errors = {}
    for case, options in CASES.items():
        colour_film(path, **options)
        with silenced():
            [picture] = read(path, [3])
        seen = picture.reshape(3, 240, 4, 64, 3)[:, 60:180, :, 16:48].mean(axis=(1, 3))  # middles of the patches
        errors[case] = float(np.abs(seen - COLOURS).max())
    return errors
