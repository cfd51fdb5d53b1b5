"""Small clips made on the spot, one for each way in which video files differ."""

from fractions import Fraction

import av
import numpy as np
import pytest

from common.video.writer import _same_priority  # all that is taken from there: the encoding is PyAV's


def moving_pictures(num_frames: int, height: int, width: int) -> list[np.ndarray]:
    """Frames (H, W, 3) that all differ, with gradients and texture that move: no two of them can be mixed up."""
    texture = np.random.default_rng(0).integers(0, 60, (height, width, 3))
    y, x = np.mgrid[:height, :width]
    frames = []
    for t in range(num_frames):
        waves = np.stack([4 * x + 3 * t, 5 * y + 2 * t, 2 * x + 2 * y + 5 * t], axis=-1) % 256
        frames.append((0.7 * waves + np.roll(texture, t, axis=1)).clip(0, 255).astype(np.uint8))
    return frames


@pytest.fixture(scope="session")
def pictures():
    return moving_pictures


@pytest.fixture(scope="session")
def encode():
    """A function that writes `moving_pictures` with PyAV alone, never with the code under test."""

    def encode(
        path,
        encoder="libx264",
        pixel_format="yuv420p",
        *,
        num_frames=40,
        height=48,
        width=64,
        stamps=None,
        time_base=Fraction(1, 24),
        rotation=None,
        tags=None,
        container=None,
        **options,
    ):
        with _same_priority(), av.open(str(path), "w", options=container or {}) as output:
            stream = output.add_stream(encoder, rate=24, options={k.replace("_", "-"): v for k, v in options.items()})
            stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
            stream.time_base = stream.codec_context.time_base = time_base
            if rotation is not None:
                stream.set_display_rotation(rotation)
            if tags is not None:
                stream.codec_context.colorspace, stream.codec_context.color_range = tags
            output.start_encoding()
            for i, picture in enumerate(moving_pictures(num_frames, height, width)):
                frame = av.VideoFrame.from_ndarray(picture).reformat(format=pixel_format)
                frame.pts, frame.time_base = (i if stamps is None else stamps[i]), time_base
                output.mux(stream.encode(frame))
            output.mux(stream.encode())
        return path

    return encode


@pytest.fixture(scope="session")
def decode_all():
    """The reference: PyAV decodes a file from beginning to end. Returns times (T,) and frames (T, H, W, 3)."""

    def decode_all(path):
        with av.open(str(path)) as container:
            frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
        return [time for time, _ in frames], np.stack([picture for _, picture in frames])

    return decode_all
