"""Files whose frames come at uneven times: what is written is what is read back."""

import numpy as np
import pytest

from common import video

MOMENTS = np.array([0.0, 0.04, 0.08, 0.5, 0.52, 1.3, 1.34])  # seconds; the camera stalled twice


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (7, 64, 96, 3), dtype=np.uint8)


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "h264"), (".mkv", "ffv1"), (".webm", "av1")])
def test_timestamps_survive_the_file(tmp_path, frames, suffix, codec):
    path = video.write(tmp_path / f"phone{suffix}", frames, 25, codec, timestamps=MOMENTS)
    assert np.abs(video.timestamps(path) - MOMENTS).max() <= 5e-4  # a Matroska tick is a millisecond
    info = video.probe(path)
    assert info.variable_frame_rate and info.num_frames == 7
    assert info.duration == pytest.approx(1.38, abs=2e-3)  # the last frame stays as long as the one before it


def test_sampling_goes_by_those_timestamps(tmp_path, frames):
    path = video.write(tmp_path / "phone.mkv", frames, 25, "ffv1", timestamps=MOMENTS)
    clip = video.sample_clip(path, 5, fps=4)  # 0, 0.25, 0.5, 0.75, 1.0 s
    assert (video.clip_to_frames(clip) == frames[[0, 2, 3, 4, 4]]).all()


def test_timestamps_that_cannot_be_are_refused(tmp_path, frames):
    with pytest.raises(ValueError, match="more frames than timestamps"):
        video.write(tmp_path / "a.mp4", frames, 25, timestamps=MOMENTS[:5])
    with pytest.raises(ValueError, match="must rise from 0"):
        video.write(tmp_path / "a.mp4", frames, 25, timestamps=MOMENTS[::-1])
    with pytest.raises(ValueError, match="avi"):
        video.write(tmp_path / "a.avi", frames, 25, "ffv1", timestamps=MOMENTS)
    assert not list(tmp_path.iterdir())
