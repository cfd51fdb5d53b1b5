"""Categorical latents against torch's own distributions, and gradients where they belong."""

import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from common.models.categorical import categorical_kl, kl_balance, straight_through_sample, uniform_mix

B, T, L, C = 3, 5, 4, 6


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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
