"""A clip keeps its picture's look where each frame alone reads as the picture does."""

import pytest
import torch

from common.data.sprites import render
from common.data.sprites.solo import SoloSprites
from common.evaluation.kept_look import LOOKS, kept_look, pixels_per_frame
from common.zoo.sprites_svd.recipe import asked


def test_true_clips_keep_their_look_and_those_of_other_pictures_do_not():
    clips = asked("large", 3).clips()
    pictures = clips[:, :, 0]
    kept = kept_look(pictures, clips)
    assert set(kept) == {*LOOKS, "all"} and kept["all"].shape == (3, 14)
    assert kept["all"][:, 0].all() and kept["all"].float().mean() > 0.8
    assert kept_look(pictures.roll(1, dims=0), clips)["all"].float().mean() < 0.2
    broken = clips.clone()
    broken[1, :, 5] = torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert not kept_look(pictures, broken)["all"][1, 5]
    assert torch.equal(kept_look(pictures, broken)["all"][::2], kept["all"][::2])
    with pytest.raises(ValueError, match="2 pictures for 3 clips"):
        kept_look(pictures[:2], clips)


def test_speed_is_zero_where_nothing_moves_and_doubles_with_every_second_frame():
    clips = render(SoloSprites("test", motions=("right",)).scenes(range(3)), 9).clips()
    speed = pixels_per_frame(clips)
    assert (speed > 0.3).all()
    assert torch.allclose(pixels_per_frame(clips[:, :, ::2]), 2 * speed, rtol=0.15)
    assert pixels_per_frame(clips[:1, :, :1].expand(-1, -1, 5, -1, -1)).item() < 0.05
    assert pixels_per_frame(torch.randn(1, 3, 4, 64, 64)).isnan().all()
