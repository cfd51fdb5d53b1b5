"""The whole film by number: nothing near a held-out piece, one shot in every clip, and the decoded film kept once."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from common import video
from common.data import whole_film
from common.data.bundled import clips, excerpts
from common.data.film import HELD_OUT
from common.data.sources import find_source
from common.data.whole_film import CREDITS_BEGIN, KEPT_HEIGHT, KEPT_WIDTH, MARGIN, WholeFilmData, training_shots


@pytest.fixture
def film(monkeypatch):
    """Pictures in which every frame has its number as its colour, and every column its own."""
    rows = np.arange(14_315)[:, None, None, None] // 56 + np.zeros((1, KEPT_HEIGHT, 1, 1))
    pictures = np.broadcast_to(rows.astype(np.uint8), (14_315, KEPT_HEIGHT, KEPT_WIDTH, 3))
    monkeypatch.setattr(whole_film, "film_pictures", lambda: pictures)


def test_no_training_shot_comes_near_a_held_out_piece():
    """The bundled shots say where they begin in the film, so the pieces are known without the film."""
    for piece in [*(shot for shot in clips() if shot.name in HELD_OUT), *excerpts()]:
        for shot in training_shots():
            assert shot.stop <= piece.film_frame - MARGIN or shot.start >= piece.film_frame + piece.num_frames + MARGIN


def test_training_shots_are_whole_shots_between_titles_and_credits():
    cuts = find_source("big-buck-bunny").cuts
    shots = training_shots()
    assert len(shots) > 90 and sum(map(len, shots)) > 9000
    assert all(shot.start in cuts and cuts[cuts.index(shot.start) + 1] == shot.stop <= CREDITS_BEGIN for shot in shots)


def test_a_window_lies_in_one_shot_and_in_its_picture():
    data = WholeFilmData(num_frames=9, size=48)
    windows = [data.window(index) for index in range(300)]
    for window in windows:
        low, high = min(window.frames), max(window.frames)
        assert len(window.frames) == 9 and any(shot.start <= low and high < shot.stop for shot in training_shots())
        assert 48 <= window.side <= KEPT_HEIGHT and 0 <= window.top <= KEPT_HEIGHT - window.side
        assert 0 <= window.left <= KEPT_WIDTH - window.side
    assert {abs(window.frames.step) for window in windows} == {1, 2, 3}
    for choice in ([window.is_mirrored for window in windows], [window.frames.step < 0 for window in windows]):
        assert 0.4 < np.mean(choice) < 0.6


def test_a_number_is_a_clip_whatever_it_is_asked_for_with(film):
    data = WholeFilmData(num_frames=5, size=32)
    found = data.batch([7, 3, 900_000])
    assert found.shape == (3, 3, 5, 32, 32) and found.dtype == torch.uint8
    assert torch.equal(data.batch([900_000, 7]), found[[2, 0]])
    windows = [data.window(index) for index in (7, 3, 900_000)]
    assert found[:, 0, :, 0, 0].tolist() == [[frame // 56 for frame in window.frames] for window in windows]
    others = [WholeFilmData(num_frames=5, size=32, seed=1).window(index) for index in (7, 3, 900_000)]
    assert all(one != other for one, other in zip(windows, others))


def test_too_large_a_picture_is_refused():
    with pytest.raises(ValueError, match="got 145"):
        WholeFilmData(size=145)


def test_the_film_is_decoded_once(tmp_path, monkeypatch):
    """The second time it is read from the cache, where it has the pixels of the library's own reader."""
    frames = np.random.default_rng(0).integers(0, 255, (7, 288, 512, 3), dtype=np.uint8)
    path = video.write(tmp_path / "film.mkv", frames, fps=24, codec="ffv1")
    monkeypatch.setattr(whole_film, "source_path", lambda name: path)
    monkeypatch.setattr(whole_film, "find_source", lambda name: SimpleNamespace(sha256="0123456789"))
    monkeypatch.setattr(whole_film, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(whole_film, "CHUNK", 3)
    first = whole_film.film_pictures.__wrapped__()
    assert np.array_equal(first, video.read_frames(path, size=KEPT_HEIGHT)) and first.shape == (7, 144, 256, 3)
    path.unlink()
    assert np.array_equal(whole_film.film_pictures.__wrapped__(), first)
    assert [file.name for file in tmp_path.iterdir()] == ["big-buck-bunny-01234567-144.npy"]
