"""The token transformer: a distribution that sums to one, causal, the same with a cache, and drawn as it says."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from common.layers.quantization import indices_to_codes
from common.models.token_transformer import PRESETS, TokenTransformer, generate_codes

NUM_PARAMETERS = {"ci": 124_752, "cpu": 1_450_048, "gpu": 1_450_048}
LEVELS = (4, 3)


def shaken(model):
    """Every weight counts: no branch is closed."""
    for k, parameter in enumerate(model.parameters()):
        with torch.no_grad():
            parameter += 0.15 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(k))
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return shaken(TokenTransformer(LEVELS, latent_size=(3, 4, 2), text_dim=10, **PRESETS["ci"]))


@pytest.fixture(scope="module")
def tiny():
    """Two positions of two digits: 144 clips in all."""
    torch.manual_seed(1)
    return shaken(TokenTransformer(LEVELS, latent_size=(1, 1, 2), patch_size=1, text_dim=10, **PRESETS["ci"]))


@pytest.fixture(scope="module")
def text():
    states = torch.randn(4, 5, 10, generator=torch.Generator().manual_seed(2))
    mask = torch.ones(4, 5, dtype=torch.bool)
    mask[1, 3:] = False
    return states, mask


@pytest.fixture(scope="module")
def codes():
    tokens = torch.randint(12, (3, 3, 4, 2), generator=torch.Generator().manual_seed(3))
    return indices_to_codes(tokens, LEVELS)


@pytest.mark.parametrize("name", PRESETS)
def test_number_of_parameters(name):
    with torch.device("meta"):
        model = TokenTransformer(**PRESETS[name])
    assert model.num_parameters() == NUM_PARAMETERS[name]


def test_fresh_blocks_are_the_identity():
    fresh = TokenTransformer(**PRESETS["ci"])
    x, text = torch.randn(2, 5, 48), torch.randn(2, 3, 48)
    assert torch.equal(fresh.blocks[0](x, text)[0], x)


def test_codes_positions_and_digits_are_one_to_one(model, codes):
    positions = model.to_positions(codes)
    assert positions.shape == (3, 6, 8)
    assert torch.equal(model.to_codes(positions), codes)
    digits = model.to_digits(positions)
    assert torch.equal(model.from_digits(digits), positions)
    for k, count in enumerate(model.digit_levels):
        assert sorted(digits[..., k].unique().tolist()) == list(range(count))


def test_all_clips_together_have_probability_one(tiny, text):
    clips = indices_to_codes(torch.tensor(list(itertools.product(range(12), repeat=2)))[:, None, None], LEVELS)
    states, mask = (part[1:2].expand(len(clips), *part.shape[1:]) for part in text)
    nats = tiny.negative_log_likelihood(clips, states, mask).sum(dim=(1, 2))
    assert (-nats).exp().sum().item() == pytest.approx(1, abs=1e-4)
    assert nats.std() > 0.5  # and they are not all equally likely


@pytest.mark.parametrize("changed", [0, 2, 5])
def test_no_digit_depends_on_a_later_one(model, codes, text, changed):
    states, mask = text[0][:3], text[1][:3]
    before = model.negative_log_likelihood(codes, states, mask)
    digits = model.to_digits(model.to_positions(codes))
    digits[:, changed, 3] = (digits[:, changed, 3] + 1) % 3  # the fourth digit: a channel of three levels
    after = model.negative_log_likelihood(model.to_codes(model.from_digits(digits)), states, mask)
    torch.testing.assert_close(after[:, :changed], before[:, :changed], atol=1e-5, rtol=0)
    torch.testing.assert_close(after[:, changed, :3], before[:, changed, :3], atol=1e-5, rtol=0)
    assert (after[:, changed, 4:] - before[:, changed, 4:]).abs().max() > 1e-3
    if changed < 5:
        assert (after[:, changed + 1 :] - before[:, changed + 1 :]).abs().max() > 1e-3


def test_with_a_cache_the_states_are_those_of_the_whole(model, codes, text):
    states, mask = text[0][:3], text[1][:3]
    previous = F.pad(model.to_positions(codes)[:, :-1], (0, 0, 1, 0))
    whole, _ = model(previous, states, mask)
    pieces, caches, first = [], None, 0
    for piece in previous.split([1, 3, 2], dim=1):
        hidden, caches = model(piece, states, mask, caches, first)
        pieces.append(hidden)
        first += piece.shape[1]
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-4, rtol=0)


def test_padding_of_the_text_does_not_matter(model, codes, text):
    states, mask = text[0][:3].clone(), text[1][:3]
    before = model.negative_log_likelihood(codes, states, mask)
    states[1, 3:] = 9.0
    torch.testing.assert_close(model.negative_log_likelihood(codes, states, mask), before)


def test_clips_are_drawn_as_often_as_they_are_likely(tiny, text):
    num_clips = 6000
    states = torch.cat([text[0][1:2].expand(num_clips, -1, -1), text[0][3:]])
    mask = torch.cat([text[1][1:2].expand(num_clips, -1), text[1][3:]])
    seeds = [torch.Generator().manual_seed(k) for k in range(num_clips)]
    drawn = generate_codes(tiny, states, mask, seeds)
    nats = tiny.negative_log_likelihood(drawn, states[:-1], mask[:-1]).sum(dim=(1, 2))
    kinds, counts = drawn.flatten(1).unique(dim=0, return_inverse=True)[1].unique(return_counts=True)
    number = drawn.flatten(1).unique(dim=0, return_inverse=True)[1]
    likely = torch.stack([(-nats[number == kind]).exp()[0] for kind in kinds])
    seen = counts / num_clips
    assert (seen - likely).abs().sum() < 0.15  # chance alone gives about 0.1; likelihoods swapped give above 0.5
    assert likely.sum() > 0.9


def test_a_clip_depends_on_its_own_seed_and_text_alone(model, text):
    seeds = lambda: [torch.Generator().manual_seed(k) for k in range(3)]  # noqa: E731
    together = generate_codes(model, *text, seeds(), guidance_scale=1.5)
    alone = generate_codes(model, text[0][[2, 3]], text[1][[2, 3]], seeds()[2:], guidance_scale=1.5)
    assert torch.equal(together[2:], alone)


def test_guidance_zero_ignores_the_text(model, text):
    seed = lambda: [torch.Generator().manual_seed(5)]  # noqa: E731
    one, other = (generate_codes(model, text[0][[k, 3]], text[1][[k, 3]], seed(), 0.0) for k in (0, 2))
    assert torch.equal(one, other)


def test_at_a_low_temperature_the_likeliest_digit_is_drawn(model, text):
    seeds = [torch.Generator().manual_seed(k) for k in range(3)]
    drawn = generate_codes(model, *text, seeds, temperature=1e-4)
    positions = model.to_positions(drawn)
    hidden, _ = model(F.pad(positions[:, :-1], (0, 0, 1, 0)), text[0][:3], text[1][:3])
    digits = model.to_digits(positions)
    assert torch.equal(model.head(hidden, digits).argmax(dim=-1), digits)
