"""What is written is what is read back: bytes for FFV1, colours for the others; a file appears whole or not at all."""

import os
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from PIL import Image

from common.video import clip_to_frames, frames_to_clip, probe, read_frames, timestamps, write

SIZES = [(48, 64), (45, 64), (48, 63), (45, 63)]


def noise(num_frames=5, height=48, width=64):
    return np.random.default_rng(0).integers(0, 256, (num_frames, height, width, 3), np.uint8)


def flat_squares(num_frames=3, height=48, width=64):
    """Squares of 16 x 16 in strong colours: chroma subsampling cannot be blamed for what changes inside them."""
    colours = np.random.default_rng(1).integers(0, 256, (num_frames, -(-height // 16), -(-width // 16), 3), np.uint8)
    return colours.repeat(16, 1).repeat(16, 2)[:, :height, :width]


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("suffix", ["mkv", "avi"])
def test_ffv1_gives_every_byte_back(tmp_path, suffix, height, width):
    frames = noise(height=height, width=width)
    assert np.array_equal(read_frames(write(tmp_path / f"a.{suffix}", frames, 24, "ffv1")), frames)


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("name, codec, quality", [("a.mp4", "h264", 0), ("a.mkv", "h264", None), ("a.webm", "av1", 5)])
def test_colours_come_back(tmp_path, name, codec, quality, height, width):
    """Inside each square the mean colour is kept within the scaler's own error; a wrong matrix is off by dozens."""
    frames = flat_squares(height=height, width=width)
    read = read_frames(write(tmp_path / name, frames, 24, codec, quality)).astype(float)
    assert read.shape == frames.shape
    inside = [
        read[:, y : y + 4, x : x + 4].mean((1, 2)) for y in range(6, height - 9, 16) for x in range(6, width - 9, 16)
    ]
    meant = [frames[:, y, x] for y in range(6, height - 9, 16) for x in range(6, width - 9, 16)]
    assert np.abs(np.subtract(inside, meant)).max() < 6


@pytest.mark.parametrize("name, codec", [("a.mp4", "h264"), ("a.mov", "h264"), ("a.mkv", "h264"), ("a.webm", "av1")])
@pytest.mark.parametrize("height, width", [(48, 64), (800, 32), (45, 63)])
def test_the_tags_say_bt709_limited(tmp_path, name, codec, height, width):
    """Whatever the height: the file says it, no player has to guess. Read by PyAV, not by the code under test."""
    path = write(tmp_path / name, noise(2, height, width), 24, codec)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        for tagged in (stream.codec_context, frame):
            assert (tagged.colorspace, tagged.color_range, tagged.color_primaries, tagged.color_trc) == (1, 1, 1, 1)


def test_even_sizes_play_everywhere_and_odd_ones_keep_every_pixel(tmp_path):
    assert probe(write(tmp_path / "a.mp4", noise(2), 24)).pixel_format == "yuv420p"
    assert probe(write(tmp_path / "b.mp4", noise(2, 45, 63), 24)).pixel_format == "yuv444p"


def test_smooth_pictures_survive_well(tmp_path):
    x, y = np.meshgrid(np.linspace(0, 255, 64), np.linspace(0, 255, 48))
    frames = np.stack([np.stack([x, y, 255 - x], -1)] * 4).astype(np.uint8)
    for name, codec in (("a.mp4", "h264"), ("a.webm", "av1")):
        error = read_frames(write(tmp_path / name, frames, 24, codec)) - frames.astype(float)
        assert 10 * np.log10(255**2 / np.mean(error**2)) > 36


def test_lower_quality_numbers_are_better(tmp_path):
    frames = noise(8)
    for codec, suffix in (("h264", "mp4"), ("av1", "webm")):
        paths = [write(tmp_path / f"{quality}.{suffix}", frames, 24, codec, quality) for quality in (10, 30, 50)]
        sizes = [path.stat().st_size for path in paths]
        errors = [np.abs(read_frames(path) - frames.astype(float)).mean() for path in paths]
        assert sizes == sorted(sizes, reverse=True) and errors == sorted(errors) and len(set(sizes)) == 3


@pytest.mark.parametrize("fps", [24, 25.0, 30000 / 1001, 23.976, 12.5, 1, 240])
@pytest.mark.parametrize("name, codec", [("a.mp4", "h264"), ("a.mkv", "ffv1"), ("a.webm", "av1")])
def test_frame_rates(tmp_path, name, codec, fps):
    path = write(tmp_path / name, noise(6), fps, codec)
    tick = 0 if name.endswith("mp4") else 0.0005  # Matroska rounds to milliseconds
    assert np.abs(timestamps(path) - np.arange(6) / fps).max() <= tick + 1e-5
    info = probe(path)
    assert info.fps == pytest.approx(fps, rel=1e-4) and not info.variable_frame_rate


def test_a_clip_an_array_and_a_generator_are_written_alike(tmp_path):
    frames = noise()
    clip = frames_to_clip(frames)
    files = [
        write(tmp_path / "array.mkv", frames, 24, "ffv1"),
        write(tmp_path / "clip.mkv", clip, 24, "ffv1"),
        write(tmp_path / "generator.mkv", (frame for frame in frames), 24, "ffv1"),
        write(tmp_path / "views.mkv", frames[:, ::-1][:, ::-1], 24, "ffv1"),
    ]
    for path in files:
        assert np.array_equal(read_frames(path), clip_to_frames(clip))


@pytest.mark.parametrize("fps", [
    np.int64(25), np.uint8(25), np.float32(25), np.float64(25), np.array(25), torch.tensor(25.0), Fraction(25), "25",
])  # fmt: skip
def test_a_rate_is_a_number_of_any_kind(tmp_path, fps):
    assert probe(write(tmp_path / "a.mp4", noise(2), fps)).fps == 25


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
def test_pil_images(tmp_path, mode):
    """In a list or from a generator, in any mode: the colours that PIL itself would show."""
    images = [Image.fromarray(frame).convert(mode) for frame in noise()]
    meant = np.stack([np.asarray(image.convert("RGB")) for image in images])
    for name, frames in (("list.mkv", images), ("generator.mkv", (image for image in images))):
        assert np.array_equal(read_frames(write(tmp_path / name, frames, 24, "ffv1")), meant)


def test_tensors_of_bytes_are_frames(tmp_path):
    """A whole clip of bytes, and a list of frames; a clip in [-1, 1] is float."""
    frames = torch.from_numpy(noise())
    for name, given in (("whole.mkv", frames), ("list.mkv", list(frames))):
        assert np.array_equal(read_frames(write(tmp_path / name, given, 24, "ffv1")), noise())


@pytest.mark.parametrize("name", ["x" * 251 + ".mp4", "é" * 125 + ".mp4"])
def test_a_name_of_full_length(tmp_path, name):
    """255 bytes are legal, and the file that is written first must find room beside them."""
    assert len(read_frames(write(tmp_path / name, noise(2), 24))) == 2
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such names")
def test_a_name_that_is_no_text(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff\xfe.mp4"
    assert os.fsencode(write(path, noise(2), 24)) == path
    assert len(read_frames(path)) == len(read_frames(os.fsdecode(path))) == 2


@pytest.mark.parametrize("name, codec", [("a.mp4", "h264"), ("a.mkv", "ffv1"), ("a.webm", "av1")])
def test_a_variable_frame_rate(tmp_path, name, codec):
    times = np.array([0, 0.04, 0.08, 0.5, 0.54, 1.7])
    path = write(tmp_path / name, iter(noise(6)), 25, codec, timestamps=times)
    assert np.abs(timestamps(path) - times).max() <= 0.0005
    assert probe(path).variable_frame_rate


@pytest.mark.parametrize("times, said", [
    ([0, 1], "more frames than timestamps"), ([0, 1, 2, 3], "more timestamps than frames"),
    ([1, 2, 3], r"from 0\.0"), ([0, 2, 1], "rise"), ([0, 1, 1], "rise"), ([], "rise"),
])  # fmt: skip
def test_timestamps_that_do_not_fit(tmp_path, times, said):
    with pytest.raises(ValueError, match=said):
        write(tmp_path / "a.mp4", noise(3), 24, timestamps=times)
    with pytest.raises(ValueError, match="AVI holds no timestamps"):
        write(tmp_path / "a.avi", noise(3), 24, "ffv1", timestamps=[0, 1, 3])
    assert list(tmp_path.iterdir()) == []


class TestWholeOrNotAtAll:
    def test_a_failure_leaves_what_was_there(self, tmp_path):
        path = write(tmp_path / "a.mp4", noise(3), 24)
        before = path.read_bytes()

        def breaks():
            yield from noise(2)
            raise RuntimeError("the camera fell")

        with pytest.raises(RuntimeError, match="fell"):
            write(path, breaks(), 24)
        assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["a.mp4"]

    def test_a_failure_leaves_nothing_behind(self, tmp_path):
        with pytest.raises(ValueError, match=r"first is \(48, 64, 3\), another is \(24, 64, 3\)"):
            write(tmp_path / "a.mp4", [noise()[0], noise(height=24)[0]], 24)
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_cannot_be_written(self, tmp_path):
        with pytest.raises(ValueError, match=r"folder .* does not exist"):
            write(tmp_path / "no" / "a.mp4", noise(), 24)
        (tmp_path / "a.mp4").mkdir()
        with pytest.raises(ValueError, match="is a directory"):
            write(tmp_path / "a.mp4", noise(), 24)
        assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("name, arguments, said", [
    ("a.webm", {}, r"h264 goes into \.mp4 or \.mov or \.mkv, got 'a\.webm'"),
    ("a.mp4", {"codec": "ffv1"}, r"ffv1 goes into \.mkv or \.avi"),
    ("a", {}, "goes into"),
    ("a.mp4", {"codec": "xvid"}, "h264, av1, ffv1, got 'xvid'"),
    ("a.mp4", {"fps": 0}, "fps .* 0"),
    ("a.mp4", {"fps": float("nan")}, "fps .* nan"),
    ("a.mp4", {"fps": None}, "fps .* None"),
    ("a.mp4", {"fps": np.array([24, 25])}, r"fps .*array\(\[24, 25"),
    ("a.mp4", {"fps": 1e-9}, "fps .* 1e-09"),
    ("a.mp4", {"frames_or_clip": None}, "NoneType"),
    ("a.mp4", {"frames_or_clip": "b.mp4"}, "str"),
    ("a.mp4", {"frames_or_clip": [None]}, r"object \(\)"),
    ("a.mp4", {"frames_or_clip": Image.new("RGB", (64, 48))}, "Image"),
    ("a.mp4", {"frames_or_clip": torch.zeros(3, 4, 8, 8, dtype=torch.uint8)}, r"\(4, 8, 8\)"),
    ("x" * 252 + ".mp4", {}, "name too long"),
    ("a.mp4", {"quality": 52}, "between 0 and 51 .* 52"),
    ("a.mkv", {"codec": "ffv1", "quality": 3}, "lossless .* 3"),
    ("a.mp4", {"frames_or_clip": noise(0)}, "no frame"),
    ("a.mp4", {"frames_or_clip": []}, "no frame"),
    ("a.mp4", {"frames_or_clip": noise()[0]}, r"\(48, 64, 3\)"),
    ("a.mp4", {"frames_or_clip": noise() / 255}, "float64"),
    ("a.mp4", {"frames_or_clip": noise()[..., :1]}, r"\(48, 64, 1\)"),
    ("a.mp4", {"frames_or_clip": torch.zeros(1, 3, 4, 8, 8)}, r"\(1, 3, 4, 8, 8\)"),
    ("a.webm", {"frames_or_clip": noise(2, 3, 64), "codec": "av1"}, "at least 4 pixels .* 64 x 3"),
])  # fmt: skip
def test_bad_arguments(tmp_path, name, arguments, said):
    arguments = {"frames_or_clip": noise(2), "fps": 24, **arguments}
    with pytest.raises(ValueError, match=said):
        write(tmp_path / name, **arguments)
    assert list(tmp_path.iterdir()) == []
