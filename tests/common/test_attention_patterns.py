"""Attention patterns: who attends to whom, what it costs as torch counts it, its reach, and Latte as a peer."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from common.layers.attention import SelfAttention
from common.layers.attention_patterns import (
    PATTERNS,
    PatternAttention,
    attend_by,
    attention_flops,
    factorised_attention,
    group_size,
    windowed_attention,
)
from common.layers.reach import reach
from common.layers.rope import rotations
from common.models.latte_peer import distance_from_latte

GRID, WINDOW = (6, 4, 2), (3, 2, 2)


def qkv(seed=0, grid=GRID, batch=2, heads=3, head_dim=5):
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, heads, *grid, head_dim, generator=draw, dtype=torch.float64) for _ in range(3)]


def masked(q, k, v, allowed):
    """Full attention under a mask `(N, N)`: right, and as dear as full attention."""
    q, k, v = (part.flatten(2, 4) for part in (q, k, v))
    scores = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~allowed, -torch.inf)
    return (scores.softmax(-1) @ v).unflatten(2, GRID)


def places(grid=GRID):
    return torch.stack(torch.meshgrid(*map(torch.arange, grid), indexing="ij"), dim=-1).flatten(0, 2)


@torch.no_grad()
def counted(layer, x, *args):
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        layer(x, *args)
    return counter.get_total_flops()


@pytest.mark.parametrize("axis, alike", [("space", [0]), ("time", [1, 2])])
def test_factorised_attention_is_full_attention_under_its_mask(axis, alike):
    place = places()[:, alike]
    allowed = (place[:, None] == place[None]).all(-1)
    torch.testing.assert_close(factorised_attention(*qkv(), axis), masked(*qkv(), allowed))


@pytest.mark.parametrize("window", [(3, 2, 2), (2, 4, 1), (6, 1, 2)])
@pytest.mark.parametrize("shifted", [False, True])
def test_window_attention_is_full_attention_under_its_mask(window, shifted):
    shift = [w - 1 if shifted else 0 for w in window]
    piece = (places() - torch.tensor(shift)) // torch.tensor(window)
    allowed = (piece[:, None] == piece[None]).all(-1)
    torch.testing.assert_close(windowed_attention(*qkv(), window, shift), masked(*qkv(), allowed))


def test_full_and_factorised_attention_are_windows_too():
    frames, height, width = GRID
    full = masked(*qkv(), torch.ones(frames * height * width, frames * height * width, dtype=torch.bool))
    torch.testing.assert_close(windowed_attention(*qkv(), GRID), full)
    torch.testing.assert_close(attend_by("full", *qkv()), full)
    torch.testing.assert_close(windowed_attention(*qkv(), (1, height, width)), factorised_attention(*qkv(), "space"))
    torch.testing.assert_close(windowed_attention(*qkv(), (frames, 1, 1)), factorised_attention(*qkv(), "time"))


@pytest.mark.parametrize("kind", ["full", "space", "time", "window", "shifted window"])
def test_the_closed_form_is_what_torch_counts(kind):
    layer, tokens = PatternAttention(24, 3, kind, WINDOW), 6 * 4 * 2
    want = attention_flops(tokens, group_size(kind, GRID, WINDOW), 24, batch_size=2)
    assert counted(layer, torch.zeros(2, *GRID, 24)) == want


def test_a_mask_over_full_attention_saves_nothing():
    def layer(x):
        q, k, v = qkv(batch=1, heads=1, head_dim=24)
        masked(q, k, v, torch.eye(48, dtype=torch.bool))

    assert counted(layer, None) == attention_flops(48, 48, 24) - 8 * 48 * 24**2


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not tile"):
        attention_flops(10, 3, 4)
    with pytest.raises(ValueError, match="axis"):
        factorised_attention(*qkv(), "rows")
    for window, shift in (
        ((4, 2, 2), (0, 0, 0)),
        ((3, 2, 2), (3, 0, 0)),
        ((3, 2, 2), (0, -1, 0)),
        ((0, 2, 2), (0,) * 3),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            windowed_attention(*qkv(), window, shift)
    with pytest.raises(ValueError, match="kind"):
        attend_by("diagonal", *qkv())


def test_a_full_layer_is_self_attention_with_the_same_weights():
    torch.manual_seed(0)
    ours, theirs = PatternAttention(24, 2).double(), SelfAttention(24, 2).double()
    theirs.load_state_dict(ours.state_dict())
    x, rotation = torch.randn(2, *GRID, 24, dtype=torch.float64), rotations(GRID, 12)
    torch.testing.assert_close(ours(x, rotation).flatten(1, 3), theirs(x.flatten(1, 3), rotation)[0])


def test_latte_of_diffusers_agrees_with_copied_weights():
    assert distance_from_latte(factorised_attention) < 1e-5
    swapped = {"space": "time", "time": "space"}
    assert distance_from_latte(lambda q, k, v, axis: factorised_attention(q, k, v, swapped[axis])) > 1e-3


def layers_of(pattern, depth, grid, window):
    kinds = PATTERNS[pattern]
    torch.manual_seed(0)
    made = [PatternAttention(8, 1, kinds[k % len(kinds)], window).double() for k in range(depth)]
    return [lambda x, layer=layer: x + layer(x.unflatten(1, grid)).flatten(1, 3) for layer in made]


def test_the_reach_of_each_pattern():
    """Full 1, factorised 2, shifted windows as many as it takes to walk there; the others never leave their group."""
    grid, window = (9, 4, 4), (3, 2, 2)
    x, change = torch.randn(144, 8, dtype=torch.float64), torch.randn(8, dtype=torch.float64)
    found = {pattern: reach(layers_of(pattern, 6, grid, window), x, change) for pattern in PATTERNS}
    assert found["full"].max() == 1 and found["factorised"].max() == 2 and found["shifted"].max() == 5
    place = places(grid)
    frame, piece = place[:, 0], place // torch.tensor(window)
    assert torch.equal(found["spatial"].isfinite(), frame[:, None] == frame)
    assert torch.equal(found["windows"].isfinite(), (piece[:, None] == piece).all(-1))


def test_reach_counts_layers_from_one_and_sees_a_move_in_any_number():
    def hand_on(x):  # a token hears of the one before it, in its last number alone
        return torch.cat([x[..., :-1], (x[..., -1:] + x[..., -1:].roll(1, dims=1))], dim=-1)

    x, change = torch.zeros(5, 3, dtype=torch.float64), torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    found = reach([hand_on] * 2, x, change)
    want = torch.full((5, 5), torch.inf)
    for i in range(5):
        for step in range(3):
            want[i, (i + step) % 5] = step
    assert torch.equal(found, want)
    assert reach([hand_on], x, change, tolerance=2.0).fill_diagonal_(torch.inf).isinf().all()
