"""Scenes with a known middle: the flows lead where they say, the masks tell what is hidden, a period hides a motion."""

import pytest
import torch

from common.data.between_scenes import disc_before_plane, sliding_fence, sliding_textures
from common.flow import fuse, warp

SCENE = disc_before_plane()


def inner(picture, margin=18):
    return picture[..., margin:-margin, margin:-margin]


@pytest.mark.parametrize("side", ["first", "last"])
def test_a_warped_end_is_the_middle_wherever_that_end_shows_it(side):
    """Where the mask says visible the warped picture is right; where it says hidden it is not."""
    warped = warp(getattr(SCENE, side), getattr(SCENE, f"to_{side}"))
    off = inner((warped - SCENE.middle).abs().mean(dim=1, keepdim=True))
    seen = inner(getattr(SCENE, f"visible_{side}"))
    assert off[seen].mean() < 0.05  # what is left is the edge of the disc, which falls between pixels
    assert (~seen).any() and off[~seen].mean() > 5 * off[seen].mean()


def test_fusing_by_visibility_leaves_no_ghost():
    sides = warp(SCENE.first, SCENE.to_first), warp(SCENE.last, SCENE.to_last)
    both = torch.ones_like(SCENE.visible_first)
    off = [
        inner((fuse(*sides, *masks) - SCENE.middle).square()).mean()
        for masks in ((both, both), (SCENE.visible_first, SCENE.visible_last))
    ]
    assert off[1] < off[0] / 2


def test_no_pixel_of_the_middle_is_hidden_on_both_sides_of_a_fast_disc():
    assert (SCENE.visible_first | SCENE.visible_last)[..., 18:-18, 18:-18].all()


def test_a_fence_that_slides_by_its_period_looks_as_before():
    first, middle, last = sliding_fence(8.0)
    assert torch.allclose(first, last, atol=1e-5)
    assert (first - middle).abs().mean() > 0.1
    first, middle, last = sliding_fence(4.0, period=10.0, height=20, width=40)
    assert first.shape == (1, 3, 20, 40) and first.abs().max() <= 1
    assert torch.allclose(middle[..., 2:], first[..., :-2], atol=1e-5) and torch.equal(
        last[..., :1, :], first[..., :1, :]
    )


def test_a_texture_slides_by_the_same_whole_pixels_twice():
    first, middle, last = sliding_textures(6, 24, generator=torch.Generator().manual_seed(0))
    assert first.shape == (6, 3, 24, 24) and first.abs().max() <= 1
    pans = [(dy, dx) for dy in range(-4, 5) for dx in range(-4, 5)]
    inner = (..., slice(4, -4), slice(4, -4))
    for a, b, c in zip(first, middle, last):
        moved = [torch.equal(a.roll((-dy, -dx), (1, 2))[inner], b[inner]) for dy, dx in pans]
        dy, dx = pans[moved.index(True)]
        assert torch.equal(b.roll((-dy, -dx), (1, 2))[inner], c[inner])
    again = sliding_textures(6, 24, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again[1], middle)
