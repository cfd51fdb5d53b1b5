"""Each kind of bad file gets its own clear error, or the right frames."""

import errno
import os
import struct
import warnings
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image, features

from common.video import VideoError, VideoReader, probe, read_frames, sample_clip
from common.video.errors import (
    CorruptVideoError,
    EmptyFileError,
    FrameIndexError,
    NoFramesError,
    NotAFileError,
    NotAVideoError,
    NoVideoStreamError,
    SizeChangeWarning,
    TruncatedVideoError,
    VideoNotFoundError,
)

LIMITS = {"x264_params": "keyint=10:bframes=2:scenecut=0"}
FRONT = {"container": {"movflags": "faststart"}, **LIMITS}


def write_sound(path, codec="aac"):
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=44100, layout="mono")
        for i in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 44100, 1024 * i
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def refuses(path, kind, *words):
    """Opening, probing and sampling all raise this very kind, and the message names the file and the words."""
    for attempt in (probe, VideoReader, read_frames, lambda p: sample_clip(p, 4)):
        with pytest.raises(VideoError) as caught:
            attempt(path)
        assert type(caught.value) is kind
        for word in (os.fspath(path), *words):
            assert word in str(caught.value)


def test_missing(tmp_path):
    refuses(tmp_path / "nowhere.mp4", VideoNotFoundError, "does not exist")
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "nowhere.mp4")


def test_addresses_are_never_opened():
    with pytest.raises(VideoNotFoundError):
        probe("http://127.0.0.1:9/clip.mp4")
    with pytest.raises(VideoNotFoundError):
        probe("concat:a.mp4|b.mp4")


def test_directory_and_device(tmp_path):
    refuses(tmp_path, NotAFileError, "directory")
    refuses("/dev/null", NotAFileError, "not a regular file")


def test_empty(tmp_path):
    (tmp_path / "a.mp4").touch()
    refuses(tmp_path / "a.mp4", EmptyFileError, "0 bytes")


@pytest.mark.parametrize("name, content", [
    ("notes.txt", b"Dear reader,\n" * 400),
    ("notes.mp4", b"Dear reader,\n" * 400),
    ("code.py", b"import os\nprint(os.name)\n" * 30),
    ("zeros.mkv", bytes(5000)),
    ("random.mp4", np.random.default_rng(0).bytes(5000)),
    ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n#EXT-X-ENDLIST\n"),
    ("list.ffconcat", b"ffconcat version 1.0\nfile /etc/passwd\n"),
    ("titles.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n" * 20),
    ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(900)),
    ("archive.zip", b"PK\x03\x04" + bytes(900)),
    ("short", b"x"),
    ("still.webp", b"RIFF\x64\0\0\0WEBPVP8 " + bytes(90)),
    ("moving.avi", b"RIFF\x64\0\0\0WEBPVP8X" + bytes(90)),
    ("mouse.ani", b"RIFF\x64\0\0\0ACONanih" + bytes(90)),
])  # fmt: skip
def test_not_a_video(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    refuses(tmp_path / name, NotAVideoError, "not an AVI video" if content[:4] == b"RIFF" else "not a video")


def test_names_that_no_file_can_have(tmp_path):
    refuses(str(tmp_path / ("z" * 300 + ".mp4")), VideoError, "name too long")
    with pytest.raises(VideoNotFoundError):
        probe("a\0b.mp4")


def test_no_more_open_files_is_not_the_files_fault(tmp_path, encode, monkeypatch):
    path = encode(tmp_path / "a.mp4", num_frames=2)

    def full(*_, **__):
        raise av.error.OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(av, "open", full)
    refuses(path, VideoError, "too many open files")


@pytest.mark.parametrize("name, codec", [("a.mp4", "aac"), ("a.mkv", "aac"), ("a.aac", "aac"), ("a.mp3", "mp3")])
def test_sound_without_pictures(tmp_path, name, codec):
    if codec == "mp3" and "libmp3lame" not in av.codecs_available:
        pytest.skip("no MP3 encoder in this build of FFmpeg")
    refuses(write_sound(tmp_path / name, codec), NoVideoStreamError, "no video stream", "audio")


def test_a_cover_picture_is_no_video(tmp_path):
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as output:
        cover = output.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        output.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        output.mux(cover.encode())
    refuses(path, NoVideoStreamError, "no video stream")


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "avi", "fragmented.mp4"])
def test_no_frames(tmp_path, encode, suffix):
    container = {"movflags": "frag_keyframe+empty_moov"} if "fragmented" in suffix else None
    path = encode(tmp_path / f"a.{suffix}", num_frames=0, container=container)
    refuses(path, NoFramesError, "no frame")


def test_mp4_cut_before_its_table(tmp_path, encode):
    path = encode(tmp_path / "a.mp4", **LIMITS)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refuses(path, TruncatedVideoError, "cut short")


@pytest.mark.parametrize("share", [0.4, 0.8, 0.999])
def test_mp4_cut_behind_its_table(tmp_path, encode, share):
    path = encode(tmp_path / "a.mp4", **FRONT)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    refuses(path, TruncatedVideoError, "cut short", "40 frames", "beyond")


@pytest.mark.parametrize("suffix", ["mkv", "ts", "webm"])
def test_a_cut_stream_gives_the_frames_it_holds(tmp_path, encode, decode_all, suffix):
    """Matroska and TS promise no number of frames: what is left is right, from the first frame on."""
    options = {"encoder": "libvpx-vp9", "g": "10", "cpu_used": "8"} if suffix == "webm" else LIMITS
    path = encode(tmp_path / f"a.{suffix}", **options)
    whole, frames = path.read_bytes(), decode_all(path)[1]
    path.write_bytes(whole[: int(len(whole) * 0.6)])
    with VideoReader(path) as reader:
        assert 10 < len(reader) < 40
        read = reader.read(range(len(reader) - 3))  # the very last ones may miss what they lean on
    assert np.array_equal(read, frames[: len(read)])


@pytest.mark.parametrize("suffix", ["apng", "gif", "avi", "mkv", "ts", "mpg", "flv", "avif"])
def test_a_file_cut_anywhere(tmp_path, encode, pictures, suffix):
    """Wherever it ends: frames, or one of the documented errors, that names the file."""
    path = tmp_path / f"a.{suffix}"
    if suffix in ("apng", "gif", "avif"):
        if suffix == "avif" and not features.check("avif"):
            pytest.skip("this Pillow writes no AVIF")
        first, *others = [Image.fromarray(picture) for picture in pictures(8, 48, 64)]
        first.save(path, "PNG" if suffix == "apng" else None, save_all=True, append_images=others, duration=100)
    else:
        encode(path, {"avi": "mpeg4", "mpg": "mpeg2video", "flv": "flv"}.get(suffix, "libx264"), num_frames=12, g="5")
    content = path.read_bytes()
    num_frames = len(read_frames(path))
    for share in np.linspace(0.02, 0.999, 25):
        path.write_bytes(content[: int(len(content) * share)])
        try:
            with VideoReader(path) as reader:
                assert len(reader) <= num_frames
                reader.read([0])
                reader.read([len(reader) - 1, 0])
                assert sum(len(piece) for piece in reader.stream()) == len(reader)
        except VideoError as error:
            assert str(path) in str(error)


def test_a_demuxer_that_fails_on_the_way(tmp_path, encode, monkeypatch):
    """Whatever class its error has, reading ends in the documented one, or finds another way to the frame."""
    path = encode(tmp_path / "a.mp4", **LIMITS)

    class Fails(Exception):
        pass

    def broken(self, *_):
        raise Fails("no way on")
        yield

    with VideoReader(path) as reader:
        monkeypatch.setattr(av.container.InputContainer, "demux", broken, raising=False)
        with pytest.raises(CorruptVideoError, match=r"a\.mp4"):
            reader.read([25])


def test_frame_numbers_are_whole(tmp_path, encode):
    """1.7 is no frame, and not frame 1."""
    path = encode(tmp_path / "a.mp4", num_frames=3)
    assert len(read_frames(path, np.array([0.0, 2.0]))) == 2
    with pytest.raises(FrameIndexError, match=r"whole, got 1\.7"):
        read_frames(path, [0, 1.7])


def test_dv(tmp_path, encode, decode_all):
    """A camcorder's raw tape: its own container, and pixels of 16 to 15."""
    path = encode(tmp_path / "a.dv", "dvvideo", num_frames=3, height=576, width=720)
    info = probe(path)
    assert (info.codec, info.container, info.num_frames, info.height) == ("dvvideo", "dv", 3, 576)
    assert info.width in (720, 768, 1024)
    assert read_frames(path, [2, 0]).shape == (2, 576, info.width, 3)


def test_a_hole_in_the_middle(tmp_path, encode, decode_all):
    """Frames before the damage are right; frames in it are refused by number and time; groups behind it are right."""
    path = encode(tmp_path / "a.mp4", **LIMITS)
    frames = decode_all(path)[1]
    with av.open(str(path)) as container:
        hit = [packet for packet in container.demux(video=0) if packet.size][12]
        position, size = hit.pos, hit.size
    content = bytearray(path.read_bytes())
    content[position + 4 : position + size] = b"\xff" * (size - 4)
    path.write_bytes(content)
    with VideoReader(path) as reader:
        assert np.array_equal(reader.read(range(10)), frames[:10])
        with pytest.raises(CorruptVideoError, match=r"frame 1\d of .* \(at 0\.\d+ s\) cannot be decoded"):
            reader.read(range(40))
        assert np.array_equal(reader.read(range(20, 40)), frames[20:])


def test_odd_width_and_height(tmp_path, encode, decode_all):
    path = encode(tmp_path / "a.mkv", "ffv1", "bgr0", height=45, width=63, num_frames=4)
    assert (probe(path).width, probe(path).height) == (63, 45)
    assert np.array_equal(read_frames(path), decode_all(path)[1])
    assert read_frames(path, [0], size=15).shape == (1, 15, 21, 3)


def test_one_frame(tmp_path, encode):
    info = probe(encode(tmp_path / "a.mp4", num_frames=1))
    assert info.num_frames == 1 and info.duration > 0 and not info.variable_frame_rate
    assert sample_clip(info.path, 3).shape == (3, 3, 48, 64)


def test_strange_names(tmp_path, encode):
    """A colon, a percent sign, a leading dash, a space and another script are a name like any other."""
    for name in ("a:b.mp4", "50%d.mp4", "-i.mp4", "two words.mp4", "フィルム.mp4", "no-suffix"):
        source = encode(tmp_path / "plain.mp4", num_frames=2)
        source.rename(tmp_path / name)
        assert len(read_frames(tmp_path / name)) == 2


def test_a_name_that_lies_about_its_container(tmp_path, encode):
    encode(tmp_path / "a.mkv", num_frames=3).rename(tmp_path / "a.mp4")
    assert probe(tmp_path / "a.mp4").container == "matroska,webm"


def test_two_sizes_in_one_stream(tmp_path, encode):
    """Frames that change size on the way come out in the size of the first, and that is said once, with a number."""
    parts = [encode(tmp_path / f"{h}.h264", num_frames=5, height=h, width=h + 16).read_bytes() for h in (48, 96)]
    (tmp_path / "both.h264").write_bytes(b"".join(parts))
    path = tmp_path / "both.h264"
    said = r"frame 5 of .*both\.h264 has 112 x 96 pixels and the first frame has 64 x 48"
    with VideoReader(path) as reader:
        with pytest.warns(SizeChangeWarning, match=said):
            assert reader.read(range(10)).shape == (10, 48, 64, 3)
        assert reader.info.stored_size == (64, 48)
        with warnings.catch_warnings(action="error"):
            reader.read([9])
    with warnings.catch_warnings(action="error"):
        assert read_frames(path, range(5)).shape == (5, 48, 64, 3)
    with VideoReader(path) as reader, pytest.warns(SizeChangeWarning, match="frame 5"):
        assert sum(len(chunk) for chunk in reader.stream(chunk=4)) == 10
    with pytest.warns(SizeChangeWarning, match="frame 9"):
        sample_clip(path, 2)


class TestProbe:
    def test_what_it_tells(self, tmp_path, encode):
        info = probe(encode(tmp_path / "a.mp4", tags=(1, 1), **LIMITS))
        assert (info.codec, info.width, info.height, info.num_frames) == ("h264", 64, 48, 40)
        assert (info.fps, info.bit_depth, info.has_alpha, info.rotation) == (24.0, 8, False, 0)
        assert info.duration == pytest.approx(40 / 24) and not info.variable_frame_rate
        assert (info.color_matrix, info.color_range, info.pixel_format) == ("bt709", "limited", "yuv420p")

    @pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi", "mov"])
    def test_rounded_times_are_no_variable_rate(self, tmp_path, encode, suffix):
        info = probe(encode(tmp_path / f"a.{suffix}", time_base=Fraction(1001, 30000), **LIMITS))
        assert not info.variable_frame_rate
        assert info.duration == pytest.approx(info.num_frames / info.fps, rel=2e-3)

    def test_variable_rate(self, tmp_path, encode):
        stamps = [2 * i for i in range(20)] + [40 + 3 * i for i in range(20)]
        info = probe(encode(tmp_path / "a.mp4", stamps=stamps, time_base=Fraction(1, 60), **LIMITS))
        assert info.variable_frame_rate and info.fps == pytest.approx(40 / (100 / 60), rel=0.01)

    @pytest.mark.parametrize("turn, clockwise", [(90, 270), (180, 180), (270, 90)])
    def test_rotation(self, tmp_path, encode, turn, clockwise):
        info = probe(encode(tmp_path / "a.mp4", rotation=turn, num_frames=2))
        assert info.rotation == clockwise
        assert (info.width, info.height) == ((64, 48) if turn == 180 else (48, 64))

    def test_mirrors(self, tmp_path, encode, decode_all):
        """A selfie camera's matrix: left and right exchanged, with and without a quarter turn."""
        one = 1 << 16
        plain = encode(tmp_path / "plain.mp4", num_frames=2, rotation=180)
        content, stored = plain.read_bytes(), decode_all(plain)[1]
        half_turn = struct.pack(">4i", -one, 0, 0, 0) + struct.pack(">i", -one)
        assert content.count(half_turn) == 1
        for matrix, expected in (
            ((-one, 0, 0, 0, one), stored[:, :, ::-1]),
            ((one, 0, 0, 0, -one), stored[:, ::-1]),
            ((0, one, 0, one, 0), stored.swapaxes(1, 2)),
        ):
            path = tmp_path / "mirror.mp4"
            path.write_bytes(content.replace(half_turn, struct.pack(">5i", *matrix)))
            with VideoReader(path) as reader:
                assert reader.info.orientation != (False, False, False)
                height, width = expected.shape[1:3]
                read = reader.read(range(2))
            assert read.shape[1:3] == (height, width) and np.array_equal(read, expected)
