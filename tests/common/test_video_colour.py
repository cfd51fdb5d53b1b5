"""Colours follow the stream's own matrix and range, checked against exact arithmetic and against a peer."""

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from common.video import probe, read_frames
from common.video.colour import color_matrix, color_range, to_rgb
from common.video.errors import UnsupportedVideoError

# ITU-T H.273: number of the matrix, weight of red, weight of blue.
MATRICES = {"bt601": (6, 0.299, 0.114), "bt709": (1, 0.2126, 0.0722), "bt2020": (9, 0.2627, 0.0593)}
RANGES = {"limited": 1, "full": 2}


def exact_rgb(yuv, matrix, value_range, bits=8):
    """H.273, equations 8 and following, in floating point: (..., 3) integers to (..., 3) values from 0 to 255."""
    _, red, blue = MATRICES[matrix]
    scale = 2 ** (bits - 8)
    y, u, v = np.moveaxis(np.asarray(yuv, float) / scale, -1, 0)
    if value_range == "limited":
        y, u, v = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    else:
        top = 255 if bits == 8 else (2**bits - 1) / scale
        y, u, v = y / top, (u - 128) / top, (v - 128) / top
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return 255 * np.stack([r, g, b], axis=-1).clip(0, 1)


def flat_patches(pixel_format, colours, matrix=2, value_range=0):
    """A frame of 16 x 16 squares, one for each (y, u, v)."""
    side = 16
    frame = av.VideoFrame(side * len(colours), side, pixel_format)
    frame.colorspace, frame.color_range = matrix, value_range
    sample = np.uint16 if "10" in pixel_format else np.uint8
    for plane, values in zip(frame.planes, np.transpose(colours)):
        row = np.repeat(values, plane.width // len(colours)).astype(sample)
        padded = np.zeros((plane.height, plane.line_size // row.itemsize), sample)
        padded[:, : len(row)] = row
        plane.update(padded.tobytes())
    return frame


def centres(frame):
    picture = to_rgb(frame, frame.width, frame.height, VideoReformatter())
    return picture[8, 8::16].astype(float)


@pytest.mark.parametrize("value_range", RANGES)
@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuva420p"])
def test_every_matrix_and_range_equals_exact_arithmetic(pixel_format, matrix, value_range):
    """Within 3 of 255 levels (the fast path rounds); a wrong matrix or range is off by dozens."""
    bits = 10 if "10" in pixel_format else 8
    rng = np.random.default_rng(0)
    colours = rng.integers(40, 216, (40, 4 if "a" in pixel_format else 3)) * 2 ** (bits - 8)
    frame = flat_patches(pixel_format, colours, MATRICES[matrix][0], RANGES[value_range])
    assert (color_matrix(frame), color_range(frame)) == (matrix, value_range)
    difference = centres(frame) - exact_rgb(colours[:, :3], matrix, value_range, bits)
    assert np.abs(difference).max() <= 3.5 and np.abs(difference.mean()) < 2


def test_black_and_white_of_the_limited_range_are_black_and_white():
    frame = flat_patches("yuv420p", [(16, 128, 128), (235, 128, 128)], matrix=1, value_range=1)
    assert np.array_equal(centres(frame), [[0, 0, 0], [255, 255, 255]])


@pytest.mark.parametrize("height, matrix", [(576, "bt601"), (578, "bt709"), (240, "bt601"), (1080, "bt709")])
def test_an_unstated_matrix_goes_by_height(height, matrix):
    frame = av.VideoFrame(64, height, "yuv420p")
    assert (color_matrix(frame), color_range(frame)) == (matrix, "limited")


@pytest.mark.parametrize("pixel_format, matrix, value_range", [
    ("yuvj420p", "bt601", "full"), ("gbrp", "rgb", "full"), ("bgr0", "rgb", "full"), ("gray", "bt601", "full"),
])  # fmt: skip
def test_formats_that_say_it_themselves(pixel_format, matrix, value_range):
    frame = av.VideoFrame(64, 48, pixel_format)
    assert (color_matrix(frame), color_range(frame)) == (matrix, value_range)


def test_a_matrix_that_the_scaler_does_not_know_is_refused():
    frame = av.VideoFrame(64, 48, "yuv420p")
    frame.colorspace = 8  # YCgCo
    with pytest.raises(UnsupportedVideoError, match="matrix 8"):
        to_rgb(frame, 64, 48, VideoReformatter())


@pytest.mark.parametrize("value_range", RANGES)
@pytest.mark.parametrize("matrix", MATRICES)
def test_tags_in_a_file_decide(tmp_path, encode, matrix, value_range):
    path = encode(tmp_path / "a.mp4", num_frames=3, tags=(MATRICES[matrix][0], RANGES[value_range]), qp="0")
    info = probe(path)
    assert (info.color_matrix, info.color_range) == (matrix, value_range)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        y, u, v = [np.frombuffer(p, np.uint8).reshape(p.height, p.line_size)[:, : p.width] for p in frame.planes]
    u, v = (plane.repeat(2, 0).repeat(2, 1) for plane in (u, v))
    difference = read_frames(path, [0])[0] - exact_rgb(np.stack([y, u, v], -1), matrix, value_range)
    assert np.abs(difference).max() <= 3.5


@pytest.mark.parametrize("name, options", [
    ("sd.mp4", {"height": 48}),
    ("tagged.mp4", {"tags": (1, 1)}),
    ("full.mp4", {"tags": (5, 2)}),
    ("odd.mp4", {"pixel_format": "yuv444p", "height": 45, "width": 63}),
    ("vp9.webm", {"encoder": "libvpx-vp9", "cpu_used": "8"}),
    ("mpeg2.mkv", {"encoder": "mpeg2video"}),
])  # fmt: skip
def test_equal_to_decord_where_both_take_the_fast_path(tmp_path, encode, name, options):
    """8 bits, even height or no subsampling. Its older scaler takes another path for odd heights and for 10 bits."""
    decord = pytest.importorskip("decord")
    path = encode(tmp_path / name, num_frames=6, **options)
    theirs = decord.VideoReader(str(path)).get_batch(range(6)).asnumpy()
    assert np.array_equal(read_frames(path), theirs)


def test_odd_sizes_and_ten_bits_equal_pyav(tmp_path, encode, decode_all):
    rgb_10 = encode(tmp_path / "ten.mp4", pixel_format="yuv420p10le", num_frames=4)
    odd = encode(tmp_path / "odd.webm", "libvpx-vp9", height=45, width=63, num_frames=4, cpu_used="8")
    assert probe(rgb_10).bit_depth == 10
    for path in (rgb_10, odd):
        assert np.array_equal(read_frames(path), decode_all(path)[1])


def test_transparency_is_dropped_and_colours_stay(tmp_path, encode, pictures):
    path = encode(tmp_path / "alpha.mov", "qtrle", "argb", num_frames=3)
    assert probe(path).has_alpha
    assert np.array_equal(read_frames(path), pictures(3, 48, 64))
