"""Rotary positions, attention and modulation: each equals diffusers', each keeps what it promises. A few seconds."""

import pytest
import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.embeddings import apply_rotary_emb, get_timestep_embedding
from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed
from torch.nn import functional as F

from common.layers.attention import CrossAttention, SelfAttention, frame_causal_mask
from common.layers.modulation import AdaLNZero, Modulation, timestep_features
from common.layers.norm import HeadNorm
from common.layers.rope import axis_dims, rotate, rotations


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


# ------------------------------------------------------------------------------------------------ rope


@pytest.mark.parametrize("head_dim", [12, 32, 64])
def test_rotary_positions_are_wans(head_dim):
    """The same angles and the same pairs: the turned numbers agree, at Wan's theta."""
    x = random(2, 3 * 4 * 5, 2, head_dim)
    wan = WanRotaryPosEmbed(head_dim, (1, 1, 1), 16)
    cos, sin = wan(torch.zeros(1, 1, 3, 4, 5))  # (1, N, 1, head_dim)
    wanted = apply_rotary_emb(x, (cos[0, :, 0], sin[0, :, 0]), sequence_dim=1)
    ours = rotate(x, rotations((3, 4, 5), head_dim, theta=10_000.0))
    assert torch.allclose(ours, wanted, atol=1e-5)
    assert (ours - x).abs().max() > 0.5  # and something was turned


@pytest.mark.parametrize("head_dim", [6, 8, 32, 64, 128])
def test_the_axes_share_the_head(head_dim):
    dims = axis_dims(head_dim)
    assert sum(dims) == head_dim and all(dim % 2 == 0 and dim > 0 for dim in dims)


@pytest.mark.parametrize("head_dim", [4, 7])
def test_heads_that_have_no_room_for_three_axes(head_dim):
    with pytest.raises(ValueError, match=str(head_dim)):
        axis_dims(head_dim)


@pytest.mark.parametrize("move", [(2, 0, 0), (0, 1, 0), (0, 0, 3), (1, 2, 1)])
def test_products_see_distances_alone(move):
    """Two tokens moved together, along any axis, have the same product; moved apart they have another."""
    q, k = random(1, 1, 1, 24), random(1, 1, 1, 24, seed=1)
    grid = rotations((6, 6, 6), 24).reshape(6, 6, 6, -1)

    def product(at, other):
        return (rotate(q, grid[at][None]) * rotate(k, grid[other][None])).sum()

    first, second = (1, 0, 2), (2, 3, 0)
    moved = tuple(a + m for a, m in zip(first, move)), tuple(b + m for b, m in zip(second, move))
    assert torch.allclose(product(first, second), product(*moved), atol=1e-5)
    assert (product(first, second) - product(moved[0], second)).abs() > 1e-2


def test_an_offset_continues_the_count():
    whole = rotations((7, 2, 3), 16)
    later = rotations((4, 2, 3), 16, frame_offset=3)
    assert torch.allclose(later, whole[3 * 6 :])
    assert torch.allclose(whole.abs(), torch.ones(7 * 6, 8))  # turns, nothing longer or shorter


# ------------------------------------------------------------------------------------------------ attention


def as_diffusers(ours: SelfAttention | CrossAttention, dim: int) -> Attention:
    """diffusers' attention with our weights; its layer norms have a bias, which is zero."""
    heads = ours.num_heads
    theirs = Attention(dim, heads=heads, dim_head=dim // heads, bias=True, qk_norm="layer_norm", eps=1e-6)
    state = {f"norm_{x}.{part}": value for x in "qk" for part, value in
             (("weight", getattr(ours, f"norm_{x}").gain), ("bias", torch.zeros(dim // heads)))}  # fmt: skip
    for part in ("weight", "bias"):
        if isinstance(ours, SelfAttention):
            q, k, v = getattr(ours.to_qkv, part).chunk(3)
        else:
            q, (k, v) = getattr(ours.to_q, part), getattr(ours.to_kv, part).chunk(2)
        state |= {f"to_q.{part}": q, f"to_k.{part}": k, f"to_v.{part}": v}
        state[f"to_out.0.{part}"] = getattr(ours.to_out, part)
    theirs.load_state_dict(state)
    return theirs


def shaken(module):
    """With gains that are not 1, so that they count."""
    for norm in (module.norm_q, module.norm_k):
        torch.nn.init.normal_(norm.gain, mean=1.0, std=0.3)
    return module.requires_grad_(False)


def test_self_attention_is_diffusers():
    ours, x = shaken(SelfAttention(24, 3)), random(2, 10, 24)
    mask = frame_causal_mask(5, 2)
    theirs = as_diffusers(ours, 24)
    assert torch.allclose(ours(x)[0], theirs(x), atol=1e-5)
    bias = torch.zeros(10, 10).masked_fill(~mask, -torch.inf)
    # diffusers repeats a mask for each head and takes it as (B · heads, N, N)
    assert torch.allclose(ours(x, mask=mask)[0], theirs(x, attention_mask=bias.expand(2 * 3, 10, 10)), atol=1e-5)


def test_cross_attention_is_diffusers():
    ours, x, text = shaken(CrossAttention(24, 3)), random(2, 10, 24), random(2, 7, 24, seed=1)
    assert torch.allclose(ours(x, text), as_diffusers(ours, 24)(x, text), atol=1e-5)


def test_padding_counts_for_nothing():
    """A masked text is that text without the padding, whatever stands there."""
    ours, x, text = shaken(CrossAttention(24, 3)), random(2, 10, 24), random(2, 7, 24, seed=1)
    mask = torch.arange(7) < torch.tensor([[4], [7]])
    text[0, 4:] = 1e4
    out = ours(x, text, mask)
    assert torch.allclose(out[:1], ours(x[:1], text[:1, :4]), atol=1e-5)
    assert torch.allclose(out[1:], ours(x[1:], text[1:]), atol=1e-5)


def test_a_frame_sees_itself_and_the_past():
    mask = frame_causal_mask(3, 2, num_past=4)
    assert mask.shape == (6, 10) and mask[:, :4].all()
    frame = torch.arange(6) // 2
    assert torch.equal(mask[:, 4:], frame[:, None] >= frame)


@pytest.mark.parametrize("pieces", [[1, 4], [2, 1, 2], [1, 1, 1, 1, 1]])
def test_with_a_cache_the_pieces_give_the_whole(pieces):
    ours, x = shaken(SelfAttention(24, 2)), random(2, 5 * 6, 24)
    whole, last = ours(x, rotations((5, 2, 3), 12), frame_causal_mask(5, 6))
    cache, found, offset = None, [], 0
    for frames in pieces:
        piece = x[:, offset * 6 : (offset + frames) * 6]
        mask = frame_causal_mask(frames, 6, num_past=offset * 6)
        out, cache = ours(piece, rotations((frames, 2, 3), 12, frame_offset=offset), mask, cache)
        found.append(out)
        offset += frames
    assert torch.allclose(torch.cat(found, dim=1), whole, atol=1e-5)
    assert torch.allclose(cache.keys, last.keys, atol=1e-5) and torch.allclose(cache.values, last.values, atol=1e-5)


def test_norms_are_computed_in_float32():
    huge = 1e4 * random(2, 5, 2, 16).half()  # its square is more than float16 can hold
    out = HeadNorm(16)(huge)
    assert out.dtype == torch.float16
    assert torch.allclose(out.float(), F.layer_norm(huge.float(), (16,)), rtol=1e-3, atol=1e-3)
    with torch.autocast("cpu", torch.bfloat16):
        assert HeadNorm(16)(random(2, 16)).dtype == torch.float32


def test_attention_under_autocast_stays_close():
    ours, x = shaken(SelfAttention(32, 2)), random(2, 12, 32)
    exact, _ = ours(x, rotations((3, 2, 2), 16))
    with torch.autocast("cpu", torch.bfloat16):
        rough, _ = ours(x, rotations((3, 2, 2), 16))
    assert rough.dtype == torch.bfloat16 and (rough.float() - exact).abs().max() < 0.03 * exact.abs().max()


@pytest.mark.parametrize("heads", [0, 5])
def test_heads_that_do_not_divide_the_width(heads):
    for kind in (SelfAttention, CrossAttention):
        with pytest.raises(ValueError, match=f"{heads} heads"):
            kind(24, heads)


# ------------------------------------------------------------------------------------------------ modulation


def test_timestep_features_are_diffusers():
    t = torch.tensor([0.0, 1.0, 333.3, 1000.0])
    wanted = get_timestep_embedding(t, 32, flip_sin_to_cos=True, downscale_freq_shift=0)
    assert torch.allclose(timestep_features(t, 32), wanted, atol=1e-4)
    assert torch.equal(timestep_features(t.reshape(2, 2), 32), timestep_features(t, 32).reshape(2, 2, 32))


def test_a_modulation_shifts_scales_and_gates():
    x = 5 + 3 * random(2, 3, 4, 8)
    shift, scale, gate = (random(2, 3, 1, 8, seed=i) for i in range(3))
    steer = Modulation(shift, scale, gate)
    assert torch.allclose(steer.enter(x), F.layer_norm(x, (8,), eps=1e-6) * (1 + scale) + shift, atol=1e-6)
    out = random(2, 3, 4, 8, seed=5)
    assert torch.allclose(steer.leave(x, out), x + gate * out)
    closed = Modulation(shift, scale, torch.zeros_like(gate))
    assert torch.equal(closed.leave(x, out), x)


def test_modulations_come_by_name_and_begin_at_zero():
    """A signal whose numbers tell their place: branch, then shift, scale, gate, then channel."""
    layer = AdaLNZero(4, 2)
    signal = torch.arange(24.0).expand(1, 3, 24)
    first, second = layer(signal)
    assert first.shift.flatten()[:4].tolist() == [0, 1, 2, 3] and first.gate.flatten()[:4].tolist() == [8, 9, 10, 11]
    assert second.scale[0, 2, 0].tolist() == [16, 17, 18, 19] and second.scale.shape == (1, 3, 1, 4)
    still = layer(torch.zeros(1, 1, 24))
    assert all((part == 0).all() for steer in still for part in (steer.shift, steer.scale, steer.gate))
