"""The corner of the world with one object, the truth about a swap, and the scores that are taken of one."""

import pytest
import torch

from common.data.sprites import is_held_out
from common.data.sprites.attributes import FPS, MOTIONS
from common.data.sprites.paths import picture_path
from common.data.sprites.solo import EVERY, MOVING, NUM_FRAMES, SOLO_FPS, SoloSprites, draw, recombine
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.evaluation.sprite_swap import motion_words, swap_scores

TEST = SoloSprites("test")


def test_a_number_is_a_clip_whatever_it_is_asked_for_with():
    together, alone = SoloSprites().batch([3, 8]), SoloSprites().batch([8])
    assert torch.equal(together.pixels[1], alone.pixels[0]) and together.scenes[1] == alone.scenes[0]
    assert together.pixels.shape == (2, 3, NUM_FRAMES, 32, 32) and together.fps == SOLO_FPS
    assert not torch.equal(SoloSprites("test").batch([8]).pixels, alone.pixels)


def test_one_large_object_that_moves_and_is_not_held_out():
    scenes = SoloSprites().scenes(range(300))
    assert {len(scene.objects) for scene in scenes} == {1} and {scene.camera for scene in scenes} == {"still"}
    assert {scene.objects[0].size for scene in scenes} == {"large"}
    assert {scene.objects[0].motion for scene in scenes} == set(MOVING) == set(MOTIONS) - {"still"}
    assert not any(map(is_held_out, scenes))
    assert {s.objects[0].motion for s in SoloSprites(motions=("still",)).scenes(range(5))} == {"still"}


def test_every_second_frame_of_the_worlds_own():
    from common.data.sprites import render

    scenes = TEST.scenes([4])
    assert torch.equal(draw(scenes).pixels, render(scenes, 17, 32).pixels[:, :, ::2])


def test_the_reader_reads_it_without_an_error():
    scenes = TEST.scenes(range(60))
    found = accuracy([scene.words for scene in scenes], read_sprites(draw(scenes).clips(), fps=SOLO_FPS))
    assert found["all"] >= 0.98


def test_a_swap_has_the_pixels_of_one_and_the_path_of_the_other():
    content, motion = TEST.scenes([2, 5])
    swap = recombine(content, motion)
    assert swap.background == content.background and swap.texture_x == content.texture_x
    [a], [b], [c] = content.objects, motion.objects, swap.objects
    assert (c.shape, c.color, c.radius, c.motion) == (a.shape, a.color, a.radius, b.motion)
    times = EVERY / FPS * torch.arange(9).numpy()
    for mine, other in zip(picture_path(swap, c, times)[:2], picture_path(motion, b, times)[:2]):
        assert mine == pytest.approx(other)
    assert recombine(content, content) == content


def test_scores_of_the_truth_of_a_copy_and_of_noise():
    content, motion = TEST.scenes(range(24)), TEST.scenes(range(24, 48))
    truth = swap_scores(draw([recombine(*pair) for pair in zip(content, motion)]).clips(), content, motion)
    assert min(truth[name] for name in ("content", "motion", "both")) >= 0.95
    assert truth["psnr"] == float("inf") and truth["off"] < 0.02
    copy = swap_scores(draw(content).clips(), content, motion)
    assert copy["content"] >= 0.95 and copy["motion"] < 0.5 and copy["off"] > 0.1
    other = swap_scores(draw(motion).clips(), content, motion)
    assert other["motion"] >= 0.95 and other["content"] < 0.2
    noise = torch.rand(2, 3, 9, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert swap_scores(noise, content[:2], motion[:2])["both"] == 0 and motion_words(noise) == [None, None]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="split"):
        SoloSprites("held_out")
    with pytest.raises(ValueError, match="jump"):
        SoloSprites(motions=("jump",))
    with pytest.raises(ValueError, match="-1"):
        SoloSprites().scenes([-1])
    with pytest.raises(ValueError, match="2 scenes"):
        swap_scores(torch.zeros(1, 3, 9, 32, 32), TEST.scenes([0, 1]), TEST.scenes([0]))
