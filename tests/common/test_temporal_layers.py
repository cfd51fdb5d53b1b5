"""The temporal layers: diffusers' own with the same weights, and what they may see."""

import pytest
import torch
from diffusers.models.attention import TemporalBasicTransformerBlock as TheirTransformerBlock
from diffusers.models.embeddings import Timesteps
from diffusers.models.resnet import AlphaBlender as TheirBlender
from diffusers.models.resnet import TemporalResnetBlock as TheirResnetBlock

from common.layers.temporal import AlphaBlender, TemporalResnetBlock, TemporalTransformerBlock, frame_positions


def shaken(module: torch.nn.Module) -> torch.nn.Module:
    """The module with weights none of which is zero."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    return module.eval()


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_resnet_block_is_diffusers_with_the_same_weights():
    ours = shaken(TemporalResnetBlock(64, 24, eps=1e-5))
    theirs = TheirResnetBlock(64, 64, temb_channels=24, eps=1e-5)
    theirs.load_state_dict(ours.state_dict())
    x, temb = noise(2, 64, 5, 3, 4), noise(2, 5, 24, seed=1)
    assert torch.allclose(ours(x, temb), theirs(x, temb), atol=1e-5)


def test_the_transformer_block_is_diffusers_with_the_same_weights():
    ours = shaken(TemporalTransformerBlock(32, 4, 20))
    theirs = TheirTransformerBlock(32, 32, 4, 8, cross_attention_dim=20)
    theirs.load_state_dict(ours.state_dict())
    x, context = noise(2, 5, 6, 32), noise(2, 7, 20, seed=1)
    told = context.repeat_interleave(6, dim=0)
    due = theirs.eval()(x.flatten(0, 1), num_frames=5, encoder_hidden_states=told).reshape(x.shape)
    assert torch.allclose(ours(x, context), due, atol=1e-5)


def test_the_blender_is_diffusers_and_keeps_pictures_as_they_are():
    ours, theirs = AlphaBlender(0.3), TheirBlender(0.3)
    theirs.load_state_dict(ours.state_dict())
    spatial, temporal = noise(2, 3, 4, 5), noise(2, 3, 4, 5, seed=1)
    alone = torch.tensor([[True, False, False], [False, True, True]])
    found = ours(spatial, temporal, alone)
    flat = lambda x: x.flatten(0, 1)  # noqa: E731
    assert torch.allclose(flat(found), theirs(flat(spatial), flat(temporal), alone), atol=1e-6)
    assert torch.equal(found[alone], spatial[alone])
    assert not torch.allclose(ours(spatial, temporal), found, atol=1e-6)


@pytest.mark.parametrize("num_frames", [1, 4])
def test_fresh_layers_are_the_identity(num_frames):
    x, temb = noise(2, 32, num_frames, 3, 3), noise(2, num_frames, 8)
    assert torch.equal(TemporalResnetBlock(32, 8)(x, temb), x)
    tokens = noise(2, num_frames, 9, 32)
    assert torch.equal(TemporalTransformerBlock(32, 4, 20)(tokens, noise(2, 6, 20)), tokens)


def test_places_do_not_see_each_other_in_the_transformer_block():
    block, context = shaken(TemporalTransformerBlock(32, 4, 20)), noise(1, 6, 20, seed=2)
    x = noise(1, 4, 5, 32)
    moved = x.clone()
    moved[:, 1, 3] += noise(32, seed=4)  # not a constant: a layer norm would take it away
    changed = (block(moved, context) - block(x, context)).abs().amax(dim=(0, 3)) > 1e-6  # (T, N)
    assert changed[:, 3].all() and not changed[:, [0, 1, 2, 4]].any()


def test_without_positions_the_transformer_block_does_not_know_the_order_of_frames():
    block, context, x = shaken(TemporalTransformerBlock(32, 4, 20)), noise(1, 6, 20, seed=2), noise(1, 4, 5, 32)
    order = [2, 0, 3, 1]
    assert torch.allclose(block(x[:, order], context), block(x, context)[:, order], atol=1e-5)
    told = x + frame_positions(4, 32)[None, :, None]
    again = x[:, order] + frame_positions(4, 32)[None, :, None]
    assert not torch.allclose(block(again, context), block(told, context)[:, order], atol=1e-3)


def test_positions_are_those_of_diffusers():
    assert torch.allclose(frame_positions(7, 24), Timesteps(24, True, 0)(torch.arange(7)), atol=1e-5)
    with pytest.raises(ValueError, match="dim is even, got 7"):
        frame_positions(3, 7)
