"""The theorems of `common.tensor_ops`."""

import pytest
import torch

from common.tensor_ops import append_dims, from_uint8, patchify, to_uint8, unpatchify

SHAPE = (2, 3, 4, 6, 10)  # (B, C, T, H, W)
PATCHES = [(1, 1, 1), (2, 3, 5), (4, 6, 10), (1, 2, 2)]


def counted(*shape):
    """Every element a different number, so that nothing can trade places unseen."""
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape)


def test_append_dims_scales_each_sample_by_its_own_value():
    clips, values = counted(*SHAPE) + 1, torch.tensor([2.0, -5.0])
    scaled = append_dims(values, clips) * clips
    assert torch.equal(scaled[0], 2 * clips[0])
    assert torch.equal(scaled[1], -5 * clips[1])


def test_append_dims_keeps_several_leading_axes():
    tokens, values = torch.ones(2, 3, 5), counted(2, 3)
    assert torch.equal((append_dims(values, tokens) * tokens)[..., 0], values)


def test_append_dims_refuses_what_does_not_line_up():
    with pytest.raises(ValueError, match="do not line up"):
        append_dims(torch.ones(5), torch.ones(2, 3, 5))
    with pytest.raises(ValueError, match="more axes"):
        append_dims(torch.ones(2, 3, 5), torch.ones(2, 3))


@pytest.mark.parametrize("patch_size", PATCHES)
def test_unpatchify_undoes_patchify(patch_size):
    clip = counted(*SHAPE)
    patches = patchify(clip, patch_size)
    assert torch.equal(unpatchify(patches, patch_size, SHAPE[2:]), clip)
    assert patches.numel() == clip.numel()


def test_a_patch_holds_one_block_and_nothing_else():
    """Change one pixel: one vector changes, the one whose block holds the pixel, in time, row, column order."""
    clip = counted(*SHAPE)
    changed = clip.clone()
    changed[1, 2, 3, 4, 7] += 0.5  # block (1, 1, 1) of a (2, 2, 2) grid
    moved = (patchify(clip, (2, 3, 5)) != patchify(changed, (2, 3, 5))).any(dim=-1)
    assert moved.nonzero().tolist() == [[1, 7]]


def test_a_patch_lists_channel_time_row_column():
    clip = counted(*SHAPE)
    first = patchify(clip, (2, 3, 5))[0, 1]  # second block: time 0..1, rows 0..2, columns 5..9
    assert torch.equal(first, clip[0, :, 0:2, 0:3, 5:10].flatten())


def test_patchify_with_a_linear_layer_is_a_strided_convolution():
    """What a video transformer's patch embedding computes."""
    generator = torch.Generator().manual_seed(0)
    clip = torch.randn(SHAPE, generator=generator)
    weight = torch.randn(7, 3, 2, 3, 5, generator=generator)
    convolved = torch.nn.functional.conv3d(clip, weight, stride=(2, 3, 5))
    embedded = patchify(clip, (2, 3, 5)) @ weight.flatten(1).T
    torch.testing.assert_close(embedded, convolved.flatten(2).transpose(1, 2), atol=1e-4, rtol=1e-4)


def test_sizes_that_do_not_tile_are_refused():
    clip = counted(*SHAPE)
    with pytest.raises(ValueError, match=r"\(2, 4, 5\) do not tile"):
        patchify(clip, (2, 4, 5))
    with pytest.raises(ValueError, match="B, C, T, H, W"):
        patchify(clip[0], (1, 1, 1))
    with pytest.raises(ValueError, match="has 8 vectors"):
        unpatchify(patchify(clip, (2, 3, 5))[:, 1:], (2, 3, 5), SHAPE[2:])
    with pytest.raises(ValueError, match="do not tile"):
        unpatchify(patchify(clip, (2, 3, 5)), (2, 3, 5), (4, 7, 10))


def test_all_pixels_survive_the_way_to_floats_and_back():
    pixels = torch.arange(256, dtype=torch.uint8).reshape(2, 128)
    for dtype in (torch.float32, torch.float64):
        floats = from_uint8(pixels, dtype)
        assert floats.dtype == dtype and floats.min() == -1 and floats.max() == 1
        assert torch.equal(to_uint8(floats), pixels)
    assert to_uint8(torch.tensor([-9.0, 0.003, 0.005, 9.0])).tolist() == [0, 128, 128, 255]
