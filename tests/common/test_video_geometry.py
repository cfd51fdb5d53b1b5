"""Cropping, pixel shape and turning that a file asks for, alone and together, against arithmetic on its frames."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from common.video import VideoReader, probe, read_frames
from common.video.cropping import NO_CROP, Crop, container_crop

CROPPED = Path(__file__).parent / "video_cases" / "crop_clap.mp4"  # 160 x 64, of which 120 x 48 are to be shown
CROP = Crop(20, 8, 20, 8)


@pytest.fixture
def copied(tmp_path):
    """The cropped clip in another container, with more to do to its pictures."""

    def copied(suffix, pixel_aspect=None, rotation=None, hidden=0):
        path = tmp_path / f"copy.{suffix}"
        with av.open(str(CROPPED)) as given, av.open(str(path), "w") as output:
            for _ in range(hidden):  # streams before it
                other = output.add_stream("libx264", rate=25)
                other.width, other.height, other.pix_fmt, other.disposition = 32, 32, "yuv420p", 0
            stream = output.add_stream_from_template(given.streams.video[0])
            if pixel_aspect is not None:
                stream.codec_context.sample_aspect_ratio = pixel_aspect
            if rotation is not None:
                stream.set_display_rotation(rotation)
            if hidden:
                black = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8)).reformat(format="yuv420p")
                black.pts = 0
                for other in output.streams.video[:hidden]:
                    output.mux([*other.encode(black), *other.encode()])
            for packet in given.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
        return path

    return copied


def shown(decode_all):
    return decode_all(CROPPED)[1][:, 8:-8, 20:-20]


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_the_container_crops(copied, decode_all, suffix):
    for path in (CROPPED, copied(suffix), copied(suffix, hidden=1)):
        info = probe(path)
        assert (info.width, info.height, info.crop, info.pixel_aspect) == (120, 48, CROP, 1.0)
        assert np.array_equal(read_frames(path), shown(decode_all))
        assert read_frames(path, [3], size=24).shape == (1, 24, 60, 3)
        with VideoReader(path) as reader:
            assert np.array_equal(reader.read([17])[0], shown(decode_all)[17])
            assert next(reader.stream()).shape == (16, 48, 120, 3)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("rotation, turns", [(90, 1), (180, 2), (270, 3)])
def test_first_cropped_then_turned(copied, decode_all, suffix, rotation, turns):
    path = copied(suffix, rotation=rotation)
    assert np.array_equal(read_frames(path), np.rot90(shown(decode_all), turns, axes=(1, 2)))


def test_cropped_widened_and_turned(copied, decode_all):
    """120 x 48 stored pixels of 4 : 3 are 160 x 48 square ones, 48 x 160 upright; a small one shows the same."""
    path = copied("mp4", Fraction(4, 3), 90)
    info = probe(path)
    assert (info.width, info.height, info.crop, info.rotation) == (48, 160, CROP, 270)
    assert info.pixel_aspect == pytest.approx(4 / 3)
    frames = read_frames(path)
    assert frames.shape == (30, 160, 48, 3)
    upright = np.rot90(shown(decode_all), 1, axes=(1, 2)).astype(float)  # (30, 120, 48, 3)
    rows = (np.arange(160) + 0.5) * 120 / 160 - 0.5
    nearest = upright[:, rows.round().clip(0, 119).astype(int)]
    flipped = nearest[:, ::-1]
    assert np.abs(frames - nearest).mean() < np.abs(frames - flipped).mean() / 4
    assert read_frames(path, [0], size=24).shape == (1, 80, 24, 3)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts"])
@pytest.mark.parametrize("pixel_aspect, width", [("4/3", 85), ("16/15", 68), ("8/9", 57), ("1/2", 32), ("40/33", 78)])
def test_pixels_become_square(tmp_path, encode, suffix, pixel_aspect, width):
    """64 stored columns; the height stays."""
    path = encode(tmp_path / f"a.{suffix}", num_frames=2, x264_params=f"sar={pixel_aspect}")
    info = probe(path)
    assert (info.width, info.height) == (width, 48)
    assert info.pixel_aspect == pytest.approx(float(Fraction(pixel_aspect)), rel=1e-3)
    assert read_frames(path).shape == (2, 48, width, 3)


@pytest.mark.parametrize("pixel_aspect", ["1281/1280", "136/135", "1/1", "255/1", "1/200"])
def test_rounding_and_nonsense_do_not_stretch(tmp_path, encode, decode_all, pixel_aspect):
    path = encode(tmp_path / "a.mp4", num_frames=2, x264_params=f"sar={pixel_aspect}")
    assert probe(path).pixel_aspect == 1.0
    assert np.array_equal(read_frames(path), decode_all(path)[1])


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_damaged_tables_crop_nothing_or_something_that_fits(copied, suffix):
    """Any byte of the file may be wrong: no error comes out, and never a crop that leaves nothing."""
    path = copied(suffix)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    name = {"mp4": "mov,mp4,m4a", "mkv": "matroska,webm"}[suffix]
    at = content.index(b"clap" if suffix == "mp4" else b"\x54\xaa")
    for _ in range(150):
        hurt = bytearray(content)
        place = int(rng.choice([rng.integers(len(hurt)), at + rng.integers(-12, 40)]))
        hurt[place : place + 4] = rng.bytes(4)
        path.write_bytes(hurt[: len(hurt) if rng.random() < 0.8 else place])
        crop = container_crop(path, name, 0, 1, 160, 64)
        assert min(crop) >= 0 and min(crop.size(160, 64)) > 0


def test_other_containers_crop_nothing(tmp_path, encode):
    path = encode(tmp_path / "a.avi", "mpeg4", num_frames=2)
    assert container_crop(path, "avi", 0, 0, 64, 48) == NO_CROP == probe(path).crop
