"""Film by number: the same number, the same clip; no shot in both splits; one window of a real shot in every clip.

Some five seconds, most of them for decoding the shots.
"""

import re

import pytest
import torch

from common.data import film, sources
from common.data.film import HELD_OUT, FilmData


def test_a_number_is_a_clip_whatever_it_is_asked_for_with():
    data = FilmData(num_frames=5, size=32)
    clips = data.batch([7, 3, 900_000])
    assert clips.shape == (3, 3, 5, 32, 32) and clips.dtype == torch.uint8
    assert torch.equal(data.batch([900_000, 7]), clips[[2, 0]])
    assert torch.equal(FilmData(num_frames=5, size=32).batch([3])[0], clips[1])


def test_other_numbers_other_seeds_other_clips():
    data = FilmData(num_frames=5, size=32)
    clips = [*data.batch(range(6)), *FilmData(num_frames=5, size=32, seed=1).batch(range(6))]
    assert len({clip.numpy().tobytes() for clip in clips}) == 12


def test_no_shot_is_in_both_splits():
    train, test = ({shot.name for shot in film._shots(split, 17)} for split in film.SPLITS)
    assert test == set(HELD_OUT) and train and not train & test


def test_a_clip_is_one_moving_shot():
    """Neighbouring frames are far more alike than frames of two clips, and not all of them are the same."""
    clips = FilmData(num_frames=9, size=48).batch(range(12)).float()
    within = (clips[:, :, 1:] - clips[:, :, :-1]).abs().mean(dim=(1, 2, 3, 4))  # (12,)
    between = (clips[1:] - clips[:-1]).abs().mean()
    assert within.median() < 0.3 * between and within.max() > 1.0


def windows(split="train", num_frames=9, size=48):
    data = FilmData(split, num_frames, size)
    return data, [data.window(index) for index in range(200)]


def test_a_number_means_the_same_window_in_every_version():
    """Whoever changes these names other clips by the numbers that cards and caches were made with."""
    found = [FilmData().window(index) for index in (0, 1, 10**9)]
    assert [(w.shot.name, w.frames, w.top, w.left, w.side, w.is_mirrored) for w in found] == [
        ("stakes", range(13, 46, 2), 7, 4, 72, False),
        ("stakes", range(0, 33, 2), 16, 55, 76, True),
        ("burrow", range(37, 70, 2), 0, 82, 88, False),
    ]


@pytest.mark.parametrize("split", film.SPLITS)
def test_a_window_lies_in_one_shot_and_in_its_picture(split):
    data, found = windows(split)
    for window in found:
        height, width = film._frames(window.shot).shape[1:3]
        assert len(window.frames) == data.num_frames and window.frames[-1] < window.shot.num_frames
        assert data.size <= window.side <= height and min(window.top, window.left) >= 0
        assert window.top + window.side <= height and window.left + window.side <= width
        assert (window.shot.name in HELD_OUT) == (split == "test") and not window.shot.cuts


def test_windows_vary_in_everything():
    """Every shot, every speed, both mirror images, and sizes and places all over."""
    _, found = windows()
    assert {w.shot.name for w in found} == {shot.name for shot in film._shots("train", 9)}
    assert {w.frames.step for w in found} == {1, 2, 3}
    assert 60 < sum(w.is_mirrored for w in found) < 140
    assert len({w.side for w in found}) > 30 and len({w.left for w in found}) > 30 and len({w.top for w in found}) > 20


def test_a_clip_is_what_its_window_says():
    """Unscaled, it is the shot's own pixels, to the byte, or their mirror image; scaled, it is near."""
    data = FilmData("test", num_frames=3, size=64)
    whole = [index for index in range(200) if data.window(index).side == 64]
    assert {data.window(index).is_mirrored for index in whole} == {True, False}
    for index in whole:
        cut = own_pixels(data.window(index))
        assert torch.equal(data.clip(index), cut)
    for index in range(10):
        cut = own_pixels(data.window(index)).float()
        coarse = torch.nn.functional.adaptive_avg_pool2d(cut, 8)
        assert (torch.nn.functional.adaptive_avg_pool2d(data.clip(index).float(), 8) - coarse).abs().mean() < 2


def own_pixels(window):
    """(3, T, side, side)"""
    cut = torch.from_numpy(window.cut(film._frames(window.shot))).permute(3, 0, 1, 2)
    frames = [film._frames(window.shot)[frame] for frame in window.frames]
    assert torch.equal(cut[:, -1, 0, 0], torch.from_numpy(frames[-1][window.top, window.left]))
    return cut.flip(-1) if window.is_mirrored else cut


def test_the_card_names_the_held_out_shots():
    card = (sources.datasets_dir() / "big_buck_bunny" / "README.md").read_text(encoding="utf-8")
    said = card.partition("held out of every training")[0].rsplit("\n\n")[-1]
    assert set(re.findall(r"`(\w+)`", said)) == set(HELD_OUT)


@pytest.mark.parametrize("options", [{"split": "held_out"}, {"size": 65}, {"size": 0}])
def test_what_cannot_be_is_refused(options):
    with pytest.raises(ValueError, match=str(*options.values())):
        FilmData(**options)


def test_clips_longer_than_every_shot_are_refused():
    with pytest.raises(ValueError, match="5000 frames"):
        FilmData(num_frames=5000).clip(0)
