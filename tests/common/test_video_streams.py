"""The best video stream of a file, wherever it is: the film, not its cover, a thumbnail or an alpha channel."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image, features

from common.video import VideoReader, probe, read_frames
from common.video.errors import NoVideoStreamError, UnsupportedVideoError


@pytest.fixture
def mux(pictures):
    """Writes a file of several video streams, each (encoder, pixel format, width, frames, disposition or None)."""

    def mux(path, *wanted):
        with av.open(str(path), "w") as output:
            streams = []
            for encoder, pixel_format, width, num_frames, disposition in wanted:
                stream = output.add_stream(encoder, rate=24)
                stream.width, stream.height, stream.pix_fmt = width, 48, pixel_format
                stream.time_base = stream.codec_context.time_base = Fraction(1, 24)
                if disposition is not None:
                    stream.disposition = disposition
                streams.append((stream, num_frames))
            output.start_encoding()
            for stream, num_frames in streams:
                for number, picture in enumerate(pictures(num_frames, 48, stream.width)):
                    frame = av.VideoFrame.from_ndarray(picture).reformat(format=stream.pix_fmt)
                    frame.pts, frame.time_base = number, Fraction(1, 24)
                    output.mux(stream.encode(frame))
                output.mux(stream.encode())
        return path

    return mux


def decoded(path, number):
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(container.streams[number])])


def is_stream(path, number, num_frames):
    """Probing, reading in any order and streaming all see this stream."""
    reference = decoded(path, number)
    assert len(reference) == num_frames
    with VideoReader(path) as reader:
        assert len(reader) == reader.info.num_frames == num_frames
        for place in np.random.default_rng(0).permutation(num_frames)[:6]:
            assert np.array_equal(reader.read([place])[0], reference[place])
        assert np.array_equal(np.concatenate(list(reader.stream())), reference)


NONE, DEFAULT = Disposition(0), Disposition.default
FILM = ("libx264", "yuv420p", 64, 30)


@pytest.mark.parametrize("suffix, cover", [
    ("mp4", ("mjpeg", "yuvj420p", 320)), ("mkv", ("mjpeg", "yuvj420p", 320)), ("mov", ("png", "rgb24", 320)),
    ("fragmented.mp4", ("mjpeg", "yuvj420p", 320)),
])  # fmt: skip
@pytest.mark.parametrize("of_cover, of_film", [(NONE, DEFAULT), (NONE, NONE), (DEFAULT, NONE), (None, None)])
def test_cover_art_before_the_film(tmp_path, mux, suffix, cover, of_cover, of_film):
    """Not marked as a cover, larger than the film, even marked default: a single picture is never the film."""
    path = tmp_path / f"a.{suffix}"
    if "fragmented" in suffix:
        whole = mux(tmp_path / "whole.mp4", (*cover, 1, of_cover), (*FILM, of_film))
        fragment(whole, path)
    else:
        mux(path, (*cover, 1, of_cover), (*FILM, of_film))
    is_stream(path, 1, 30)


def fragment(source, target):
    with (
        av.open(str(source)) as given,
        av.open(str(target), "w", options={"movflags": "frag_keyframe+empty_moov"}) as output,
    ):
        streams = {s.index: output.add_stream_from_template(s) for s in given.streams}
        for packet in given.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                output.mux(packet)


def test_a_marked_cover_counts_for_nothing(tmp_path, mux):
    path = mux(tmp_path / "a.mp4", ("mjpeg", "yuvj420p", 320, 1, Disposition.attached_pic), (*FILM, DEFAULT))
    with av.open(str(path)) as container:
        [number] = [s.index for s in container.streams.video if s.codec_context.name == "h264"]
    is_stream(path, number, 30)


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
@pytest.mark.parametrize("widths", [(96, 64), (64, 96), (64, 64)])
def test_the_stream_that_is_marked_default(tmp_path, mux, suffix, widths):
    large, small = (("libx264", "yuv420p", width, 30) for width in widths)
    is_stream(mux(tmp_path / f"second.{suffix}", (*large, NONE), (*small, DEFAULT)), 1, 30)
    is_stream(mux(tmp_path / f"first.{suffix}", (*large, DEFAULT), (*small, NONE)), 0, 30)


def test_the_largest_of_equals_and_the_first_of_those(tmp_path, mux):
    small, large = ("libx264", "yuv420p", 64, 30, NONE), ("libx264", "yuv420p", 96, 30, NONE)
    is_stream(mux(tmp_path / "a.ts", small, large), 1, 30)
    is_stream(mux(tmp_path / "b.ts", large, small, large), 0, 30)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_animated_avif(tmp_path, pictures, mode):
    """Such a file holds its first picture twice: alone and as the first of all; with alpha, each again in grey."""
    images = [Image.fromarray(picture).convert(mode) for picture in pictures(10, 48, 64)]
    images[0].save(tmp_path / "a.avif", save_all=True, append_images=images[1:], duration=100, quality=95)
    with av.open(str(tmp_path / "a.avif")) as container:
        assert len(container.streams.video) == {"RGB": 2, "RGBA": 4}[mode]
    is_stream(tmp_path / "a.avif", {"RGB": 1, "RGBA": 2}[mode], 10)
    error = read_frames(tmp_path / "a.avif") - np.stack(pictures(10, 48, 64)).astype(float)
    assert np.abs(error).mean() < 20
    assert probe(tmp_path / "a.avif").duration == pytest.approx(1.0)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")
def test_a_still_avif_is_a_clip_of_one_frame(tmp_path, pictures):
    Image.fromarray(pictures(1, 48, 64)[0]).convert("RGBA").save(tmp_path / "a.avif")
    is_stream(tmp_path / "a.avif", 0, 1)


def test_tiles_of_one_picture_are_not_taken_for_a_film(tmp_path, mux):
    """HEIF cuts large photographs into tiles, each a stream for FFmpeg: one of them would be a wrong picture."""
    path = mux(tmp_path / "a.mp4", *[("libx264", "yuv420p", 64, 1, None)] * 3)
    content = path.read_bytes()
    assert content[8:12] == b"isom"
    path.write_bytes(content[:8] + b"mif1" + content[12:])
    with pytest.raises(UnsupportedVideoError, match="3 tiles"):
        probe(path)


def test_only_a_cover(tmp_path, mux):
    path = mux(tmp_path / "a.mp4", ("mjpeg", "yuvj420p", 64, 1, Disposition.attached_pic))
    with pytest.raises(NoVideoStreamError, match="no video stream"):
        probe(path)
