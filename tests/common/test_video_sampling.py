"""Which frames are taken, and that frames and clips turn into each other without loss."""

from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from common.video import VideoReader, clip_to_frames, even_indices, fps_indices, frames_to_clip, sample_clip

LIMITS = {"x264_params": "keyint=10:bframes=2:scenecut=0"}


class TestEvenIndices:
    def test_both_ends_and_even_steps(self):
        assert even_indices(100, 5) == [0, 25, 50, 74, 99]  # 49.5 goes to the even neighbour, 74.25 to 74
        assert even_indices(7, 7) == list(range(7))
        assert even_indices(2, 5) == [0, 0, 0, 1, 1]
        assert even_indices(1, 3) == [0, 0, 0]

    def test_a_single_frame_is_the_first(self):
        assert even_indices(100, 1) == [0]

    @pytest.mark.parametrize("total, num_frames", [(10, 4), (97, 16), (14315, 16), (3, 8)])
    def test_equals_exact_arithmetic(self, total, num_frames):
        exact = [round(Fraction(k * (total - 1), num_frames - 1)) for k in range(num_frames)]
        assert even_indices(total, num_frames) == exact

    def test_plain_integers(self):
        assert {type(i) for i in even_indices(9, 4) + fps_indices([0.0, 1.0], 1, 2)} == {int}

    @pytest.mark.parametrize("total, num_frames, said", [(0, 4, "total.* 0"), (5, 0, "num_frames.* 0"), (5, -2, "-2")])
    def test_out_of_range(self, total, num_frames, said):
        with pytest.raises(ValueError, match=said):
            even_indices(total, num_frames)


class TestFpsIndices:
    @pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001)])
    def test_a_clip_at_its_own_rate_gives_every_frame(self, rate):
        """Rounding of k / fps never loses or repeats a frame."""
        timestamps = [float(k / rate) for k in range(1000)]
        assert fps_indices(timestamps, float(rate), 1000) == list(range(1000))

    def test_half_the_rate_takes_every_other_frame(self):
        timestamps = np.arange(48) / 24
        assert fps_indices(timestamps, 12, 12, start=0.5) == list(range(12, 36, 2))

    def test_twice_the_rate_shows_each_frame_twice(self):
        assert fps_indices(np.arange(4) / 10, 20, 8) == [0, 0, 1, 1, 2, 2, 3, 3]

    def test_equals_a_plain_search_at_uneven_times(self):
        rng = np.random.default_rng(0)
        for _ in range(50):
            timestamps = np.concatenate([[0.0], np.cumsum(rng.uniform(0.01, 0.3, rng.integers(1, 40)))])
            fps, start = rng.uniform(1, 40), rng.uniform(0, timestamps[-1])
            count = 1 + int((timestamps[-1] - start) * fps)
            moments = [start + k / fps for k in range(count)]
            plain = [max(i for i, time in enumerate(timestamps) if time <= moment) for moment in moments]
            assert fps_indices(timestamps, fps, count, start) == plain

    def test_the_last_frame_stays_as_long_as_the_one_before(self):
        timestamps = [0.0, 0.1, 0.4]
        assert fps_indices(timestamps, 1, 1, start=0.69) == [2]
        with pytest.raises(ValueError, match=r"ends at 0\.700"):
            fps_indices(timestamps, 1, 1, start=0.7)

    def test_past_the_end_says_which_frame_and_when(self):
        with pytest.raises(ValueError, match=r"frame 24 .* 2\.000 s.* ends at 2\.000 s"):
            fps_indices(np.arange(48) / 24, 12, 25)

    def test_a_single_frame_lasts_one_step(self):
        assert fps_indices([0.0], 5, 1) == [0]
        with pytest.raises(ValueError, match=r"0\.200"):
            fps_indices([0.0], 5, 2)

    @pytest.mark.parametrize(
        "arguments, said",
        [
            (([], 1, 1), "empty"),
            (([0.0], 0, 1), "fps.* 0"),
            (([0.0], -3.0, 1), "fps.* -3.0"),
            (([0.0], 1, 0), "num_frames.* 0"),
            (([0.0], 1, 1, -0.5), "start.* -0.5"),
        ],
    )
    def test_out_of_range(self, arguments, said):
        with pytest.raises(ValueError, match=said):
            fps_indices(*arguments)


class TestClips:
    def test_there_and_back_is_exact_for_every_value(self):
        frames = np.arange(256, dtype=np.uint8).repeat(3).reshape(2, 8, 16, 3)
        clip = frames_to_clip(frames)
        assert clip.shape == (3, 2, 8, 16) and clip.dtype == torch.float32 and clip.is_contiguous()
        assert clip.min() == -1 and clip.max() == 1
        assert np.array_equal(clip_to_frames(clip), frames)
        assert np.array_equal(clip_to_frames(clip.double()), frames)

    def test_axes_go_where_they_belong(self):
        frames = np.random.default_rng(0).integers(0, 256, (2, 3, 5, 4), np.uint8)
        clip = frames_to_clip(frames)
        assert clip[3, 1, 2, 4].item() == pytest.approx(frames[1, 2, 4, 3] / 127.5 - 1)

    def test_views_and_read_only_frames(self):
        frames = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), np.uint8)
        assert torch.equal(frames_to_clip(frames[::-1, ::2]), frames_to_clip(frames[::-1, ::2].copy()))
        before = frames_to_clip(frames)
        frames[:] = 0
        assert before.abs().max() > 0.5, "the clip shares memory with the frames"

    def test_what_lies_outside_is_clamped_and_the_rest_rounded(self):
        clip = torch.tensor([-3.0, -1.0, -0.9961, 0.0, 0.004, 1.0, 7.0], requires_grad=True).view(1, 7, 1, 1)
        assert clip_to_frames(clip).ravel().tolist() == [0, 0, 0, 128, 128, 255, 255]

    def test_wrong_input(self):
        with pytest.raises(ValueError, match=r"uint8.*float64 \(2, 3, 4, 3\)"):
            frames_to_clip(np.zeros((2, 3, 4, 3)))
        with pytest.raises(ValueError, match=r"\(3, 4, 3\)"):
            frames_to_clip(np.zeros((3, 4, 3), np.uint8))
        with pytest.raises(ValueError, match=r"\(4, 3\)"):
            clip_to_frames(torch.zeros(4, 3))


class TestSampleClip:
    def test_evenly_takes_both_ends(self, tmp_path, encode, decode_all):
        path = encode(tmp_path / "a.mp4", **LIMITS)
        _, frames = decode_all(path)
        assert torch.equal(sample_clip(path, 4), frames_to_clip(frames[[0, 13, 26, 39]]))
        assert torch.equal(sample_clip(path, 3, start=20 / 24), frames_to_clip(frames[[20, 30, 39]]))
        assert torch.equal(sample_clip(path, 1), frames_to_clip(frames[[0]]))

    def test_at_a_rate_from_a_moment(self, tmp_path, encode, decode_all):
        path = encode(tmp_path / "a.mp4", **LIMITS)
        _, frames = decode_all(path)
        assert torch.equal(sample_clip(path, 5, fps=8, start=0.5), frames_to_clip(frames[[12, 15, 18, 21, 24]]))

    def test_time_rules_where_the_rate_varies(self, tmp_path, encode, decode_all):
        """20 slow frames, then 20 fast ones: ten samples in even time are not ten in even number."""
        stamps = [6 * i for i in range(20)] + [120 + i for i in range(20)]
        path = encode(tmp_path / "v.mp4", stamps=stamps, time_base=Fraction(1, 60), **LIMITS)
        _, frames = decode_all(path)
        picked = [max(i for i, s in enumerate(stamps) if s <= 15 * k) for k in range(10)]
        assert picked != even_indices(40, 10)
        assert torch.equal(sample_clip(path, 10, fps=4), frames_to_clip(frames[picked]))
        with pytest.raises(ValueError, match=r"ends at 2\.333"):
            sample_clip(path, 11, fps=4)

    def test_only_the_frames_it_needs(self, tmp_path, encode, monkeypatch):
        path = encode(tmp_path / "a.mp4", **LIMITS)
        asked, read = [], VideoReader.read
        monkeypatch.setattr(
            VideoReader, "read", lambda self, i, **k: asked.append((self, list(i))) or read(self, i, **k)
        )
        sample_clip(path, 2, fps=10, start=1.3)
        [(reader, indices)] = asked
        assert indices == [31, 33]
        assert reader.num_decoded <= 9, "frames before the nearest keyframe were decoded"

    def test_small(self, tmp_path, encode):
        assert sample_clip(encode(tmp_path / "a.mp4"), 2, size=24).shape == (3, 2, 24, 32)

    def test_start_past_the_end(self, tmp_path, encode):
        with pytest.raises(ValueError, match=r"5\.000 s.* ends at 1\.667"):
            sample_clip(encode(tmp_path / "a.mp4"), 2, start=5)

    @pytest.mark.parametrize("suffix", ["mp4", "mkv", "gif"])
    @pytest.mark.parametrize("num_frames", [1, 3])
    def test_the_last_frame_stays_as_long_as_the_file_says(self, tmp_path, pictures, suffix, num_frames):
        """A picture that stands still until 5 s, alone or after others: sampling ends where `probe` says it ends."""
        path = tmp_path / f"a.{suffix}"
        last = num_frames - 1
        with av.open(str(path), "w") as output:
            stream = output.add_stream("gif" if suffix == "gif" else "libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb8" if suffix == "gif" else "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, 10)
            packets = []
            for number, picture in enumerate(pictures(num_frames, 48, 64)):
                frame = av.VideoFrame.from_ndarray(picture).reformat(format=stream.pix_fmt)
                frame.pts, frame.time_base = number, Fraction(1, 10)
                frame.duration = 1 if number < last else 50 - last
                packets += stream.encode(frame)
            packets += stream.encode()
            for packet in packets:
                packet.duration = 1 if packet.pts < last else 50 - last
                output.mux(packet)
        with VideoReader(path) as reader:
            assert reader.info.duration == pytest.approx(5.0)
            frames = reader.read(range(num_frames))
        numbers = [min(last, round(k / 4 * 10 - 0.01)) for k in range(20)]  # 4 a second, up to 4.75 s
        assert torch.equal(sample_clip(path, 20, fps=4), frames_to_clip(frames[numbers]))
        assert torch.equal(sample_clip(path, 2, start=4.9), frames_to_clip(frames[[last, last]]))
        for arguments in ({"fps": 4, "num_frames": 21}, {"start": 5.0, "num_frames": 1}):
            with pytest.raises(ValueError, match=r"at 5\.000 s, but the video ends at 5\.000 s"):
                sample_clip(path, **arguments)

    def test_bad_rates_and_counts_are_told_as_such(self, tmp_path, encode):
        path = encode(tmp_path / "a.mp4", num_frames=3)
        for arguments, said in (({"fps": 0}, "fps .* 0"), ({"fps": -2}, "fps .* -2"), ({"start": -1.0}, "start .* -1")):
            with pytest.raises(ValueError, match=said):
                sample_clip(path, 2, **arguments)
        with pytest.raises(ValueError, match=r"num_frames .* 0"):
            sample_clip(path, 0, fps=4)
