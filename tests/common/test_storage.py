"""What lab 01.5 measures with: clips, forms on disk, quality, fair reads, generations, drawings."""

import matplotlib
import numpy as np
import pytest

from common import video
from common.data.short_clips import cut_clips
from common.evaluation.storage import (
    Form,
    Stored,
    bytes_at_quality,
    clip_psnr,
    codec_form,
    load_raw,
    random_read_ms,
    store_clip,
    summarise,
)
from common.show.storage import draw_clips, draw_curves, draw_generations, draw_load_times
from common.video.generations import generations


@pytest.fixture(scope="module")
def clips():
    return cut_clips(20, 8, 36)


def test_clips_come_from_the_shots_in_turn_and_none_comes_twice(clips):
    assert {clip.shape for clip in clips} == {(8, 36, 64, 3)}
    assert len({clip.tobytes() for clip in clips}) == 20
    assert all(np.array_equal(a, b) for a, b in zip(clips, cut_clips(20, 8, 36)))


def test_raw_is_exact_and_a_codec_is_smaller(clips, tmp_path):
    raw = store_clip(Form("raw", ".npy", np.save, load_raw), clips[0], tmp_path, "a")
    small = store_clip(codec_form("H.264", ".mp4", "h264"), clips[0], tmp_path, "a")
    assert raw.psnr == np.inf and raw.num_bytes == raw.raw_bytes + 128  # the header of .npy
    assert small.num_bytes < raw.num_bytes / 2 and 25 < small.psnr < 60
    assert np.array_equal(load_raw(tmp_path / "a.npy", [3, 1]), clips[0][[3, 1]])


def test_psnr_is_ten_logarithms_of_the_mean_squared_error():
    one, other = np.zeros((2, 3, 4, 3), np.uint8), np.full((2, 3, 4, 3), 10, np.uint8)
    assert clip_psnr(one, other) == clip_psnr(other, one) == pytest.approx(10 * np.log10(255**2 / 100))
    with pytest.raises(ValueError, match=r"\(1, 3, 4, 3\)"):
        clip_psnr(one[:1], other)


def test_reads_are_timed_in_turn_and_the_median_counts():
    now, order = [0.0], []

    def reader(name, seconds):
        def read(clip, frame):
            order.append(name)
            now[0] += seconds + (5 if (clip, frame) == (1, 1) else 0)

        return read

    times = random_read_ms({"A": reader("A", 0.1), "B": reader("B", 0.2)}, [(0, 0), (1, 1), (2, 0)], lambda: now[0])
    assert times == pytest.approx({"A": 100, "B": 200}) and "".join(order) == "AB" + "ABBAAB"
    with pytest.raises(ValueError, match="0 readers"):
        random_read_ms({}, [(0, 0)])


def test_a_summary_divides_sums():
    row = summarise([Stored("x", 1000, 1, 0.1, 30.0), Stored("x", 1000, 100, 0.3, 40.0)])["x"]
    assert (row.num_clips, row.compression) == (2, pytest.approx(2000 / 101))
    assert (row.write_ms, row.psnr, row.worst_psnr) == (pytest.approx(200), 35.0, 30.0)


def test_bytes_are_read_off_on_a_logarithmic_axis():
    assert bytes_at_quality([8000, 1000, 4000], [40, 30, 36], 33) == pytest.approx(2000)
    with pytest.raises(ValueError, match="29"):
        bytes_at_quality([8000, 1000], [40, 30], 29)


def test_generations_lose_through_rgb_more_than_straight_and_nothing_in_ffv1(clips, tmp_path):
    def worn(**options):
        return [clip_psnr(frames, clips[0]) for frames in generations(clips[0], tmp_path, num=3, **options)]

    straight = worn(codec="h264", suffix=".mp4", quality=23, is_straight=True)
    assert worn(codec="h264", suffix=".mp4", quality=23)[-1] < straight[-1] < straight[0]
    assert worn(codec="ffv1", suffix=".mkv", quality=None) == [np.inf] * 3
    assert video.probe(tmp_path / "generation_2.mp4").width == 64


def test_the_drawings_hold_what_they_were_given():
    matplotlib.use("agg")
    [axis] = draw_clips([Stored("x", 1000, 10, 0.1, 30.0), Stored("y", 1000, 20, 0.1, 35.0)], ["y"]).axes
    assert axis.collections[0].get_offsets().tolist() == [[50.0, 35.0]]
    [axis] = draw_curves({"a": ([1000, 2000], [30, 40])}, targets=[35]).axes
    assert axis.lines[0].get_xdata().tolist() == [1, 2] and len(axis.lines) == 2
    [axis] = draw_load_times(np.array([10.0, 1000.0]), {"raw .npy": np.array([9.0, 1.0])}).axes
    assert axis.lines[0].get_ydata().tolist() == [9.0, 1.0]
    [axis] = draw_generations({"H.264": [40.0, 38.0], "FFV1": [np.inf, np.inf]}).axes
    assert len(axis.lines) == 1 and "FFV1" in axis.get_title()
