"""Joint attention against diffusers', the MMDiT block against Stable Diffusion 3's, and what padding must not do."""

import pytest
import torch
from diffusers.models.attention_processor import Attention, CogVideoXAttnProcessor2_0, JointAttnProcessor2_0
from torch import nn

from common.layers import rotations
from common.layers.joint_attention import JointAttention, MMDiTBlock, joint_mask
from common.models.sd3_peer import copy_sd3_attention, copy_stream, distance_from_sd3

B, N, L, DIM, HEADS = 2, 24, 5, 48, 3
GRID = (3, 2, 4)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def random_weights(module: nn.Module) -> nn.Module:
    """Every weight and bias away from 0 and 1, so that none can be forgotten."""
    for parameter in module.parameters():
        parameter.normal_(std=0.3)
    return module.eval()


def sd3_attention() -> Attention:
    return random_weights(
        Attention(DIM, added_kv_proj_dim=DIM, dim_head=DIM // HEADS, heads=HEADS, out_dim=DIM, bias=True, eps=1e-6,
                  context_pre_only=False, qk_norm="layer_norm", processor=JointAttnProcessor2_0())
    )  # fmt: skip


def test_it_is_stable_diffusion_3s_with_the_same_weights():
    theirs, ours = sd3_attention(), JointAttention(DIM, HEADS)
    copy_sd3_attention(theirs, ours)
    x, text = torch.randn(B, N, DIM), torch.randn(B, L, DIM)
    for found, wanted in zip(ours(x, text), theirs(x, encoder_hidden_states=text)):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


def test_with_one_set_of_weights_for_both_it_is_cogvideoxs():
    theirs = random_weights(
        Attention(DIM, dim_head=DIM // HEADS, heads=HEADS, qk_norm="layer_norm", eps=1e-6, bias=True, out_bias=True,
                  processor=CogVideoXAttnProcessor2_0())
    )  # fmt: skip
    ours = JointAttention(DIM, HEADS)
    for stream in (ours.video, ours.text):
        copy_stream(stream, theirs.to_q, theirs.to_k, theirs.to_v, theirs.to_out[0], theirs.norm_q, theirs.norm_k)
    x, text = torch.randn(B, N, DIM), torch.randn(B, L, DIM)
    turns = rotations(GRID, DIM // HEADS, theta=10_000.0)
    rotary = tuple(part.repeat_interleave(2, dim=1).float() for part in (turns.real, turns.imag))
    for found, wanted in zip(ours(x, text, turns), theirs(x, encoder_hidden_states=text, image_rotary_emb=rotary)):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


def test_the_block_is_stable_diffusion_3s_with_the_same_weights():
    """Its six modulations come from a layer of its own; here they are the signal, in the same order."""
    assert distance_from_sd3(MMDiTBlock) < 1e-5


def test_padding_changes_nothing_with_the_mask_and_something_without():
    attention = random_weights(JointAttention(DIM, HEADS))
    x, text = torch.randn(B, N, DIM), torch.randn(B, L, DIM)
    alone, alone_text = attention(x, text)
    longer = torch.cat([text, 9 * torch.randn(B, 4, DIM)], dim=1)
    mask = torch.arange(L + 4).expand(B, -1) < L
    padded, padded_text = attention(x, longer, mask=joint_mask(mask, N))
    torch.testing.assert_close(padded, alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(padded_text[:, :L], alone_text, atol=1e-5, rtol=0)
    assert (attention(x, longer)[0] - alone).abs().max() > 0.1


def test_the_mask_hides_each_texts_own_padding_and_no_video():
    mask = joint_mask(torch.tensor([[1, 1, 0], [1, 0, 0]]), 2)
    assert mask.dtype == torch.bool and mask.shape == (2, 1, 1, 5)
    assert mask[:, 0, 0].tolist() == [[True, True, True, True, False], [True, True, True, False, False]]


def test_a_fresh_block_is_the_identity_and_an_open_one_rewrites_the_text():
    block = MMDiTBlock(DIM, HEADS, 2 * DIM)
    x, text = torch.randn(B, 3, 8, DIM), torch.randn(B, L, DIM)
    nothing = torch.zeros(B, 1, 6 * DIM)
    same, same_text = block(x, text, nothing, nothing)
    assert torch.equal(same, x) and torch.equal(same_text, text)
    signal = torch.randn(B, 1, 6 * DIM)
    texts = [block(clip, text, signal, signal)[1] for clip in (x, torch.randn_like(x))]
    assert (texts[0] - texts[1]).abs().max() > 1e-3  # what the text becomes depends on the clip


def test_frames_have_levels_of_their_own():
    block = random_weights(MMDiTBlock(DIM, HEADS, 2 * DIM))
    x, text = torch.randn(B, 3, 8, DIM), torch.randn(B, L, DIM)
    one, text_signal = torch.randn(B, 1, 6 * DIM), torch.randn(B, 1, 6 * DIM)
    whole = block(x, text, one, text_signal)[0]
    torch.testing.assert_close(block(x, text, one.expand(-1, 3, -1), text_signal)[0], whole)
    each = one.repeat(1, 3, 1)
    each[:, 1, 5 * DIM :] = 0  # the gate of the second frame's feed-forward
    moved = (block(x, text, each, text_signal)[0] - whole).abs().amax(dim=(0, 2, 3))
    assert moved[1] > 0.1 and moved[0] == moved[2] == 0


def test_the_last_block_leaves_the_text_and_needs_fewer_weights():
    torch.manual_seed(3)
    block = random_weights(MMDiTBlock(DIM, HEADS, 2 * DIM, is_last=True))
    x, text, signal = torch.randn(B, 3, 8, DIM), torch.randn(B, L, DIM), torch.randn(B, 1, 6 * DIM)
    out, after = block(x, text, signal, signal)
    assert torch.equal(after, text) and not torch.equal(out, x)
    sizes = [sum(p.numel() for p in MMDiTBlock(DIM, HEADS, 2 * DIM, last).parameters()) for last in (False, True)]
    assert sizes[0] - sizes[1] == (DIM * DIM + DIM) + (2 * 2 * DIM * DIM + 3 * DIM)


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="5 heads"):
        JointAttention(DIM, 5)
