"""FSQ and LFQ: every level is reached, indices and codes are one to one, gradients pass, the entropies are exact."""

import itertools
import math

import pytest
import torch

from common.layers.quantization import (
    FSQ,
    LFQ,
    bound,
    codes_to_indices,
    indices_to_codes,
    lfq_entropy_loss,
    round_straight_through,
)

LEVELS = (8, 5, 3, 4)


@pytest.fixture(scope="module")
def latents():
    return torch.randn(3, 4, 2, 5, 7, generator=torch.Generator().manual_seed(0)) * 2


@pytest.mark.parametrize("num_levels", [3, 4, 5, 8, 15, 16])
def test_a_channel_has_exactly_its_levels(num_levels):
    z = torch.linspace(-9, 9, 4001)[:, None]
    rounded = bound(z, [num_levels]).round()
    lowest = -(num_levels // 2)
    assert rounded.unique().tolist() == list(range(lowest, lowest + num_levels))
    assert (rounded.diff(dim=0) >= 0).all()  # it is monotonic, so each level is one interval of z


@pytest.mark.parametrize("num_levels", [3, 4, 5, 8])
def test_the_bound_leaves_zero_where_it_is(num_levels):
    assert bound(torch.zeros(2, 1), [num_levels]).abs().max() < 1e-6


def test_even_levels_are_off_centre():
    codes, _ = FSQ([8, 5])(torch.tensor([[50.0, 50.0], [-50.0, -50.0]]))
    assert codes.tolist() == [[0.75, 1.0], [-1.0, -1.0]]


def test_codes_are_those_of_the_formula_computed_by_itself(latents):
    codes, indices = FSQ(LEVELS)(latents)
    for channel, count in enumerate(LEVELS):
        half = (count - 1) * 1.001 / 2
        offset = 0.5 if count % 2 == 0 else 0.0
        shift = math.atanh(offset / half)
        expected = torch.tensor(
            [round(half * math.tanh(value + shift) - offset) / (count // 2) for value in latents[:, channel].flatten()]
        )
        assert torch.equal(codes[:, channel].flatten(), expected)
    assert indices.shape == (3, 2, 5, 7)
    assert indices.dtype == torch.int64


def test_indices_and_codes_are_one_to_one_over_the_whole_codebook():
    indices = torch.arange(math.prod(LEVELS)).reshape(8, 3, -1)
    codes = indices_to_codes(indices, LEVELS)
    assert torch.equal(codes_to_indices(codes, LEVELS), indices)
    assert len(codes.movedim(1, -1).flatten(0, -2).unique(dim=0)) == math.prod(LEVELS)
    assert (codes.abs() <= 1).all()


def test_the_first_channel_is_the_lowest_digit():
    codes = indices_to_codes(torch.tensor([0, 1, 8, 40]), LEVELS)
    steps = (codes[1:] - codes[:1]).tolist()
    assert steps[0] == pytest.approx([0.25, 0, 0, 0])
    assert steps[1] == pytest.approx([0, 0.5, 0, 0])
    assert steps[2] == pytest.approx([0, 0, 1, 0])


def test_quantizing_codes_indices_agree_with_codes_to_indices(latents):
    codes, indices = FSQ(LEVELS)(latents)
    assert torch.equal(indices_to_codes(indices, LEVELS), codes)


@pytest.mark.parametrize("index", [-1, math.prod(LEVELS)])
def test_an_index_outside_the_codebook_is_an_error(index):
    with pytest.raises(ValueError, match=str(index)):
        indices_to_codes(torch.tensor([index]), LEVELS)


def test_levels_must_match_channels(latents):
    with pytest.raises(ValueError, match="3 levels"):
        bound(latents, LEVELS[:3])


@pytest.mark.parametrize("levels", [(), (8, 2)])
def test_fsq_refuses_too_few_levels(levels):
    with pytest.raises(ValueError, match="at least 3"):
        FSQ(levels)


def test_the_gradient_of_rounding_is_that_of_the_identity():
    z = torch.tensor([0.2, 1.7, -3.4], requires_grad=True)
    rounded = round_straight_through(z)
    assert rounded.tolist() == [0, 2, -3]
    (rounded * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert z.grad.tolist() == [1, 2, 3]


def test_the_gradient_of_fsq_is_that_of_its_bound(latents):
    one, other = latents.clone().requires_grad_(), latents.clone().requires_grad_()
    FSQ(LEVELS)(one)[0].sum().backward()
    (bound(other, LEVELS) / (torch.tensor(LEVELS).reshape(-1, 1, 1, 1) // 2)).sum().backward()
    assert torch.equal(one.grad, other.grad)
    assert one.grad.abs().max() > 0


def test_half_precision_gives_the_codes_of_float32(latents):
    rough = latents.bfloat16()
    assert torch.equal(FSQ(LEVELS)(rough)[1], FSQ(LEVELS)(rough.float())[1])


def test_lfq_takes_signs_and_the_first_bit_is_the_lowest():
    codes, indices = LFQ(3)(torch.tensor([[0.5, -2.0, 3.0], [-1.0, 4.0, -0.1], [0.0, 0.0, 0.0]]))
    assert codes.tolist() == [[1, -1, 1], [-1, 1, -1], [-1, -1, -1]]
    assert indices.tolist() == [5, 2, 0]
    assert LFQ(3).codebook_size == 8


def test_the_gradient_of_lfq_passes_straight(latents):
    z = latents.clone().requires_grad_()
    LFQ(4)(z)[0].sum().backward()
    assert torch.equal(z.grad, torch.ones_like(z))


@pytest.mark.parametrize("num_bits", [1, 2, 5])
def test_entropies_are_those_of_the_softmax_over_all_codes(num_bits):
    z = torch.randn(4, num_bits, 3, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = lfq_entropy_loss(z, temperature=0.7, gamma=0.4)
    codes = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=num_bits)), dtype=torch.float64)
    distances = torch.cdist(z.movedim(1, -1).reshape(-1, num_bits), codes).square()
    chances = (-distances / 0.7).softmax(dim=1)
    per_sample = torch.special.entr(chances).sum(dim=1).mean().item()
    of_mean = torch.special.entr(chances.mean(dim=0)).sum().item()
    assert found.per_sample.item() == pytest.approx(per_sample, abs=1e-5)
    assert found.of_mean.item() == pytest.approx(of_mean, abs=1e-5)
    assert found.loss.item() == pytest.approx(per_sample - 0.4 * of_mean, abs=1e-5)


@pytest.mark.parametrize("scale", [1.0, 10.0, 300.0])
def test_the_gradient_of_the_entropy_loss_is_finite_where_codes_are_out_of_reach(scale):
    """far from 0 the mean probability of a code is no float32 any more, and the slope of -p log p at 0 is infinite"""
    z = (scale * torch.randn(64, 10, generator=torch.Generator().manual_seed(3))).requires_grad_()
    found = lfq_entropy_loss(z)
    found.loss.backward()
    assert torch.isfinite(found.loss) and torch.isfinite(z.grad).all()


def test_minimising_the_entropy_loss_spreads_places_over_the_codes_and_its_wrong_sign_collapses_them():
    start = 0.3 + 0.1 * torch.randn(256, 4, generator=torch.Generator().manual_seed(2))
    used = {}
    for gamma in (1.0, -1.0):
        z = start.clone().requires_grad_()
        optimizer = torch.optim.Adam([z], lr=0.05)
        for _ in range(100):
            optimizer.zero_grad()
            lfq_entropy_loss(z, gamma=gamma).loss.backward()
            optimizer.step()
        used[gamma] = len(LFQ(4)(z)[1].unique())
    assert len(LFQ(4)(start)[1].unique()) < 8
    assert used[1.0] == 16
    assert used[-1.0] == 1


def test_equal_to_the_peer(latents):
    peer = pytest.importorskip("vector_quantize_pytorch", reason="a peer that no extra installs")
    codes, indices = FSQ(LEVELS)(latents)
    peer_codes, peer_indices = peer.FSQ(list(LEVELS))(latents)
    assert torch.equal(codes, peer_codes)
    assert torch.equal(indices, peer_indices.long())
    lfq = peer.LFQ(dim=4, entropy_loss_weight=1.0, diversity_gamma=0.7).train()
    theirs, parts = lfq(latents, inv_temperature=2.0, return_loss_breakdown=True)
    ours = lfq_entropy_loss(latents, temperature=0.5, gamma=0.7)
    assert ours.per_sample.item() == pytest.approx(parts.per_sample_entropy.item(), abs=1e-4)
    assert ours.of_mean.item() == pytest.approx(parts.batch_entropy.item(), abs=1e-4)
    reversed_bits = sum(((theirs.indices >> bit) & 1) << (3 - bit) for bit in range(4))  # there the first is highest
    assert torch.equal(LFQ(4)(latents)[1], reversed_bits)
