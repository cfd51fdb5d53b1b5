"""A frame is the same to the bit however it is reached, and reached without decoding much else."""

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from common.video import VideoReader, read_frames, timestamps
from common.video.errors import CorruptVideoError, FrameIndexError, VideoError

CLOSED = "keyint=12:scenecut=0:bframes=3:b-pyramid=normal:b-adapt=0"
KINDS = {
    "closed.mp4": {"x264_params": CLOSED},
    "closed.mkv": {"x264_params": CLOSED},
    "closed.ts": {"x264_params": CLOSED},
    "open.mp4": {"x264_params": CLOSED + ":open-gop=1"},
    "open.mkv": {"x264_params": CLOSED + ":open-gop=1"},
    "open.ts": {"x264_params": CLOSED + ":open-gop=1"},
    "reordered-past-keyframes.mp4": {"x264_params": "keyint=2:min-keyint=1:bframes=3:b-adapt=0:open-gop=1"},
    "deep-pyramid.mp4": {"x264_params": "keyint=30:bframes=8:b-pyramid=normal:b-adapt=0"},
    "all-keyframes.mov": {"x264_params": "keyint=1"},
    "no-times.avi": {"x264_params": CLOSED},
    "no-times.h264": {"x264_params": CLOSED},
    "gradual-refresh.mkv": {"x264_params": "keyint=12:intra-refresh=1:bframes=0", "num_frames": 60},
    "fragmented.mp4": {"x264_params": CLOSED, "container": {"movflags": "frag_keyframe+empty_moov"}},
    "edit-list.mp4": {"x264_params": CLOSED, "stamps": range(-17, 23)},
    "edit-list-open.mp4": {"x264_params": CLOSED + ":open-gop=1", "stamps": range(-17, 23)},
    "late-start.mkv": {"x264_params": CLOSED, "stamps": range(100, 140)},
    "late-start.ts": {"x264_params": CLOSED, "stamps": range(100, 140)},
    "hevc-open.mp4": {"encoder": "libx265", "x265_params": "keyint=12:bframes=4:open-gop=1:log-level=none"},
    "hevc-layers.mkv": {"encoder": "libx265", "x265_params": "keyint=12:bframes=4:temporal-layers=3:log-level=none"},
    "mpeg2.mpg": {"encoder": "mpeg2video", "g": "12", "bf": "2"},
    "mpeg4.avi": {"encoder": "mpeg4", "g": "12", "bf": "2"},
    "vp8-hidden-frames.webm": {"encoder": "libvpx", "g": "24", "auto_alt_ref": "1", "lag_in_frames": "16"},
    "vp9.webm": {"encoder": "libvpx-vp9", "g": "12", "auto_alt_ref": "1", "lag_in_frames": "16", "cpu_used": "8"},
    "av1.mp4": {"encoder": "libsvtav1", "g": "12", "preset": "10"},
    "ffv1.mkv": {"encoder": "ffv1", "pixel_format": "bgr0"},
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory, encode):
    folder, made = tmp_path_factory.mktemp("clips"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SVT_LOG", "1")

        def clip(name):
            if name not in made:
                made[name] = encode(folder / name, **KINDS[name])
            return made[name]

        yield clip


@pytest.mark.parametrize("name", KINDS)
def test_any_order_equals_a_full_decode(clips, decode_all, name):
    """Random numbers, backwards, single and all at once give what decoding from the beginning shows."""
    times, reference = decode_all(clips(name))
    rng = np.random.default_rng(0)
    with VideoReader(clips(name)) as reader:
        assert len(reader) == len(reference)
        for number in rng.permutation(len(reference))[:12]:
            assert np.array_equal(reader.read([number])[0], reference[number]), f"frame {number} alone"
        for _ in range(4):
            numbers = rng.integers(0, len(reference), 7)
            assert np.array_equal(reader.read(numbers), reference[numbers]), f"frames {numbers}"
        assert np.array_equal(reader.read(range(len(reference))), reference)
        assert reader.timestamps[0] == 0.0
        if not name.startswith("no-times"):
            assert np.allclose(reader.timestamps, np.subtract(times, times[0]), atol=1e-9)


def test_the_clips_are_what_they_are_called(clips, decode_all):
    """The hard cases are in the files: pictures shown before their keyframe, hidden packets, cut beginnings."""
    with VideoReader(clips("open.mp4")) as reader:
        assert reader._index.reorder_depth >= 2 and len(reader.keyframes) > 2
    assert len(decode_all(clips("edit-list.mp4"))[0]) == 23
    with VideoReader(clips("gradual-refresh.mkv")) as reader:
        reader.read([52])
        assert reader._pool.first._unclean, "a refresh in small steps was taken for a keyframe"
    for name in ("no-times.avi", "no-times.h264"):
        with VideoReader(clips(name)) as reader:
            assert reader._index.counted


@pytest.mark.parametrize(
    "name", ["closed.mp4", "closed.mkv", "closed.ts", "open.mkv", "av1.mp4", "vp9.webm", "mpeg2.mpg"]
)
def test_a_far_frame_costs_no_more_than_its_group(clips, name):
    """Frame 38 follows keyframe 36: the 36 frames before it are never decoded."""
    with VideoReader(clips(name)) as reader:
        assert reader.keyframes[-1] == 36
        before = reader.num_decoded
        reader.read([38])
        assert reader.num_decoded - before <= 4


def test_many_groups_cost_only_what_leads_to_each_frame(clips):
    with VideoReader(clips("closed.mp4")) as reader:
        before = reader.num_decoded
        reader.read([37, 1, 25, 13])
        assert reader.num_decoded - before <= 4 * 3 + 4


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory, encode):
    options = {"num_frames": 300, "x264_params": "keyint=30:scenecut=0:bframes=3:open-gop=1"}
    return encode(tmp_path_factory.mktemp("long") / "a.mp4", **options)


class TestSideBySide:
    """Frames far apart are decoded by several decoders at a time."""

    NUMBERS = (299, 5, 29, 59, 88, 110, 150, 179, 209, 239, 240, 269)

    @pytest.mark.parametrize("cores", [1, 2, 3, 16])
    def test_the_frames_are_the_same(self, long_clip, decode_all, monkeypatch, cores):
        monkeypatch.setattr("common.video.pool.num_cores", lambda: cores)
        reference = decode_all(long_clip)[1]
        with VideoReader(long_clip) as reader:
            for numbers in (self.NUMBERS, range(0, 300, 7), self.NUMBERS[::-1]):
                assert np.array_equal(reader.read(numbers), reference[list(numbers)])
            assert len(reader._pool._helpers) == min(cores, 4) - 1
            assert np.array_equal(reader.read([17])[0], reference[17])

    def test_damage_met_by_a_helper_is_reported(self, long_clip, tmp_path, monkeypatch):
        monkeypatch.setattr("common.video.pool.num_cores", lambda: 4)
        content = bytearray(long_clip.read_bytes())
        with av.open(str(long_clip)) as container:
            position, size = [(p.pos, p.size) for p in container.demux(video=0) if p.is_keyframe][1]
        content[position + 4 : position + size] = b"\xff" * (size - 4)
        (tmp_path / "hurt.mp4").write_bytes(content)
        with VideoReader(tmp_path / "hurt.mp4") as reader:
            with pytest.raises(CorruptVideoError, match=r"frame \d+ .* cannot be decoded"):
                reader.read(self.NUMBERS)
            assert reader._pool._helpers
            assert np.array_equal(reader.read([200]), read_frames(long_clip, [200]))


def test_reading_on_does_not_begin_again(clips):
    """One frame after the other, each in a call of its own, decodes each frame once."""
    with VideoReader(clips("closed.mp4")) as reader:
        before = reader.num_decoded
        for number in range(40):
            reader.read([number])
        assert reader.num_decoded - before == 40


def test_repeats_are_decoded_once(clips):
    with VideoReader(clips("closed.mp4")) as reader:
        before = reader.num_decoded
        frames = reader.read([30, 30, 30])
        assert reader.num_decoded - before <= 12
    assert np.array_equal(frames[0], frames[2])


def test_no_frames_asked_no_frames_given(clips):
    assert read_frames(clips("closed.mp4"), []).shape == (0, 48, 64, 3)


@pytest.mark.parametrize("number", [-1, 40, 10**6])
def test_a_frame_that_does_not_exist(clips, number):
    with (
        VideoReader(clips("closed.mp4")) as reader,
        pytest.raises(FrameIndexError, match=f"frame {number} .* 40 frames"),
    ):
        reader.read([3, number])


def test_a_closed_reader_says_so(clips):
    reader = VideoReader(clips("closed.mp4"))
    reader.close()
    reader.close()
    with pytest.raises(VideoError, match="closed"):
        reader.read([0])
    with pytest.raises(VideoError, match="closed"):
        next(reader.stream())


def test_variable_frame_rate_goes_by_timestamps(tmp_path, encode, decode_all):
    stamps = np.cumsum(np.random.default_rng(1).integers(1, 9, 40)).tolist()
    path = encode(tmp_path / "vfr.mp4", stamps=stamps, time_base=Fraction(1, 90), x264_params=CLOSED)
    assert np.allclose(timestamps(path), (np.array(stamps) - stamps[0]) / 90)
    numbers = [33, 2, 17]
    assert np.array_equal(read_frames(path, numbers), decode_all(path)[1][numbers])


@pytest.mark.parametrize("rotation, turns", [(90, 1), (180, 2), (270, 3)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_phone_video_comes_out_upright(tmp_path, encode, decode_all, rotation, turns, suffix):
    """FFmpeg's `-display_rotation` turns counter-clockwise, as `np.rot90` does."""
    path = encode(tmp_path / f"phone.{suffix}", rotation=rotation, num_frames=5)
    reference = np.rot90(decode_all(path)[1], turns, axes=(1, 2))
    assert np.array_equal(read_frames(path), reference)
    assert read_frames(path, [1], size=24).shape[1:3] == ((24, 32) if turns == 2 else (32, 24))


class TestStream:
    @pytest.mark.parametrize("name", ["open.mp4", "hevc-open.mp4", "no-times.avi", "av1.mp4"])
    def test_pieces_put_together_are_the_clip(self, clips, name):
        frames = read_frames(clips(name))
        with VideoReader(clips(name)) as reader:
            pieces = list(reader.stream(5, 38, chunk=7))
        assert [len(piece) for piece in pieces] == [7, 7, 7, 7, 5]
        assert np.array_equal(np.concatenate(pieces), frames[5:38])

    def test_reading_in_between_does_no_harm(self, clips):
        frames = read_frames(clips("open.mp4"))
        with VideoReader(clips("open.mp4")) as reader:
            for number, piece in enumerate(reader.stream(chunk=8)):
                assert np.array_equal(piece, frames[8 * number :][:8])
                assert np.array_equal(reader.read([39 - number])[0], frames[39 - number])

    def test_bad_arguments(self, clips):
        with VideoReader(clips("open.mp4")) as reader:
            with pytest.raises(ValueError, match=r"chunk .* 0"):
                next(reader.stream(chunk=0))
            with pytest.raises(FrameIndexError, match="30 to 50"):
                next(reader.stream(30, 50))
            assert list(reader.stream(7, 7)) == []

    def test_memory_does_not_grow_with_the_clip(self, tmp_path, encode):
        """Reading 900 frames needs hardly more than reading 60 of them; held all at once they would take 207 MB."""
        path = encode(tmp_path / "long.mp4", "mpeg4", num_frames=900, height=240, width=320, g="30", bf="0")
        script = (
            "import resource, sys\n"
            "from common.video.reader import VideoReader\n"
            "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "with VideoReader(sys.argv[1]) as reader:\n"
            "    first = [sum(len(p) for p in reader.stream(0, 60)), peak()]\n"
            "    print(sum(len(p) for p in reader.stream()), (peak() - first[1]) // 1024)\n"
        )
        output = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True).stdout
        count, megabytes = map(int, output.split())
        assert count == 900 and megabytes < 30


class TestSize:
    def test_shorter_side_and_aspect(self, clips):
        with VideoReader(clips("closed.mp4")) as reader:
            assert reader.read([0, 9], size=24).shape == (2, 24, 32, 3)
            assert next(reader.stream(size=12)).shape == (16, 12, 16, 3)
            assert np.array_equal(reader.read([9], size=48), reader.read([9]))

    def test_small_pictures_show_the_same(self, clips):
        """A quarter of the size is close to the mean over each block of 4 x 4."""
        frames = read_frames(clips("ffv1.mkv"), [3]).astype(float)
        means = frames.reshape(1, 12, 4, 16, 4, 3).mean((2, 4))
        small = read_frames(clips("ffv1.mkv"), [3], size=12)
        assert np.abs(means - small).mean() < 6 < np.abs(means - means.mean((1, 2))).mean()

    def test_bad_size(self, clips):
        with pytest.raises(ValueError, match=r"size .* 0"):
            read_frames(clips("closed.mp4"), [0], size=0)
