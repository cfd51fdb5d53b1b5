"""The RSSM: its distributions against torch's, gradients where they belong, imagination that looks at nothing."""

import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from common.models.rssm import (
    PRESETS,
    RSSM,
    categorical_kl,
    kl_balance,
    rssm_loss,
    straight_through_sample,
    uniform_mix,
)

NUM_PARAMETERS = {"ci": 46_468, "cpu": 726_532}
B, T, L, C, O, A = 3, 5, 4, 6, 7, 2


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def model() -> RSSM:
    torch.manual_seed(0)
    return RSSM(observation_size=O, num_actions=A, hidden_size=16, num_latents=L, num_classes=C)


@pytest.fixture
def play():
    return torch.randn(B, T, O, generator=generator()), torch.randint(A, (B, T), generator=generator(1))


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_have_the_sizes_they_are_known_by(preset):
    assert RSSM(**PRESETS[preset]).num_parameters() == NUM_PARAMETERS[preset]


def test_uniform_mix_keeps_every_class_possible():
    mixed = uniform_mix(torch.tensor([100.0, 0.0, 0.0, -100.0]), share=0.2).exp()
    torch.testing.assert_close(mixed, torch.tensor([0.85, 0.05, 0.05, 0.05]))


def test_samples_are_one_hot_and_as_frequent_as_their_probabilities():
    probabilities = torch.tensor([0.1, 0.2, 0.7])
    drawn = straight_through_sample(probabilities.log().expand(20_000, 1, 3), generator())
    assert set(drawn.unique().tolist()) == {0, 1}
    torch.testing.assert_close(drawn.mean(dim=(0, 1)), probabilities, atol=0.015, rtol=0)


def test_the_gradient_of_a_sample_is_that_of_the_probabilities():
    logits = torch.randn(B, L, C, generator=generator(), requires_grad=True)
    weight = torch.randn(B, L, C, generator=generator(1))
    log_probabilities = logits.log_softmax(dim=-1)
    through_sample = torch.autograd.grad((straight_through_sample(log_probabilities) * weight).sum(), logits,
                                         retain_graph=True)[0]  # fmt: skip
    direct = torch.autograd.grad((log_probabilities.exp() * weight).sum(), logits)[0]
    torch.testing.assert_close(through_sample, direct)


def test_kl_equals_that_of_torch_and_balance_adds_two_of_them():
    q, p = (torch.randn(B, T, L, C, generator=generator(seed)).log_softmax(dim=-1) for seed in (0, 1))
    expected = kl_divergence(Categorical(logits=q), Categorical(logits=p)).sum(dim=-1)
    torch.testing.assert_close(categorical_kl(q, p), expected)
    torch.testing.assert_close(kl_balance(q, p, free_nats=0.0), 0.6 * expected.mean())


def test_each_term_trains_one_side():
    q, p = (torch.randn(B, T, L, C, generator=generator(seed), requires_grad=True) for seed in (0, 1))
    first, second = q.log_softmax(dim=-1), p.log_softmax(dim=-1)
    only_prior = torch.autograd.grad(kl_balance(first, second, representation=0.0, free_nats=0.0), (q, p),
                                     allow_unused=True, retain_graph=True)  # fmt: skip
    only_posterior = torch.autograd.grad(
        kl_balance(first, second, dynamics=0.0, free_nats=0.0), (q, p), allow_unused=True
    )
    assert not only_prior[0].any() and only_prior[1].abs().max() > 1e-3
    assert not only_posterior[1].any() and only_posterior[0].abs().max() > 1e-3


def test_below_the_free_bits_nothing_pulls():
    q = torch.full((1, 1, L, C), 0.0).log_softmax(dim=-1)
    p = (0.01 * torch.randn(1, 1, L, C, generator=generator())).requires_grad_()
    loss = kl_balance(q, p.log_softmax(dim=-1))
    assert loss.item() == pytest.approx(0.6)
    assert not torch.autograd.grad(loss, p)[0].any()


def test_observing_is_causal_and_imagining_starts_where_it_ends(model, play):
    observations, actions = play
    changed = observations.clone()
    changed[:, 3] += 1
    before, _ = model.observe(observations, actions, generator())
    after, _ = model.observe(changed, actions, generator())
    torch.testing.assert_close(after.predictions[:, :3], before.predictions[:, :3])
    torch.testing.assert_close(after.prior[:, :4], before.prior[:, :4])  # the prior of step 3 has not seen it
    assert (after.posterior[:, 3] - before.posterior[:, 3]).abs().max() > 1e-3


def test_imagination_obeys_actions_from_their_own_step_on(model, play):
    observations, actions = play
    _, state = model.observe(observations, actions, generator())
    pressed = torch.zeros(B, 4, dtype=torch.long)
    other = pressed.clone()
    other[:, 2] = 1
    first, second = (model.imagine(state, keys, generator()) for keys in (pressed, other))
    torch.testing.assert_close(first[:, :2], second[:, :2])
    assert (first[:, 2] - second[:, 2]).abs().max() > 1e-4


def test_the_loss_is_squared_error_and_kl(model, play):
    observations, actions = play
    seen, _ = model.observe(observations, actions, generator())
    error = (seen.predictions - observations).square().sum() / (B * T)
    torch.testing.assert_close(rssm_loss(seen, observations), error + kl_balance(seen.posterior, seen.prior))


def test_saves_and_loads(model, play, tmp_path):
    model.save_pretrained(tmp_path)
    loaded = RSSM.from_pretrained(tmp_path)
    first, _ = model.observe(*play, generator())
    second, _ = loaded.observe(*play, generator())
    torch.testing.assert_close(second.predictions, first.predictions)
