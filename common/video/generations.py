"""A clip that is decoded and encoded again and again, as it passes from tool to tool."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from common.video.reader import read_frames
from common.video.writer import write


def encode_again(source, target, crf):
    """One generation straight from decoder to encoder: no RGB in between, the colour tags kept."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        before = old.streams.video[0]
        stream = new.add_stream("libx264", rate=24, options={"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = before.width, before.height, "yuv420p"
        stream.codec_context.colorspace = before.codec_context.colorspace
        stream.codec_context.color_range = before.codec_context.color_range
        for i, frame in enumerate(old.decode(before)):
            frame.pict_type, frame.pts, frame.time_base = 0, i, Fraction(1, 24)  # 0: the encoder chooses its own
            new.mux(stream.encode(frame))
        new.mux(stream.encode())


def generations(
    clip: np.ndarray, folder: Path, codec: str, suffix: str, quality: int | None, *, num: int, is_straight: bool = False
) -> Iterator[np.ndarray]:
    """The frames of each generation, uint8 (T, H, W, 3): encoded from those of the one before, the first from the clip.

    Args:
        clip: uint8 (T, H, W, 3).
        folder: where the files are written.
        codec: as `common.video.write` takes it, like `quality`.
        suffix: of the files, ".mp4".
        quality: see `codec`.
        num: how many generations.
        is_straight: the encoder gets the decoder's own pictures, in place of RGB. H.264 only.
    """
    current, before = clip, None
    for i in range(num):
        path = folder / f"generation_{i}{suffix}"
        if is_straight and before is not None:
            encode_again(before, path, quality)
        else:
            write(path, current, 24, codec, quality)
        current, before = read_frames(path), path
        yield current
