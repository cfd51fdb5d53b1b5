"""Film by number: the same number, the same clip; no shot in both splits; one window of a real shot in every clip."""

import pytest
import torch

from common.data import film
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


def test_the_square_is_cut_out_of_the_picture():
    """At full height without scaling each clip is a piece of the shot's own pixels, or their mirror image."""
    shots = {shot.name: film._frames(shot) for shot in film._shots("test", 17)}
    clip = FilmData("test", num_frames=1, size=64).clip(4).permute(1, 2, 3, 0)[0].float()
    means = [torch.from_numpy(frames).float().mean(dim=(0, 1, 2)) for frames in shots.values()]
    assert min((clip.mean(dim=(0, 1)) - mean).abs().max() for mean in means) < 60
    assert all(frames.shape[1] == film.KEPT_HEIGHT for frames in shots.values())


@pytest.mark.parametrize("options", [{"split": "held_out"}, {"size": 65}, {"size": 0}])
def test_what_cannot_be_is_refused(options):
    with pytest.raises(ValueError, match=str(*options.values())):
        FilmData(**options)


def test_clips_longer_than_every_shot_are_refused():
    with pytest.raises(ValueError, match="5000 frames"):
        FilmData(num_frames=5000).clip(0)
