"""REINFORCE: its gradient is that of the expected return; weights, entropy and scale do what they say."""

import pytest
import torch

from common.training.actor_critic import actor_loss, alive

B, H, A = 4, 5, 3


@pytest.fixture
def dream():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(B, H, A, generator=generator, dtype=torch.float64)
    returns, values = (torch.randn(B, H, generator=generator, dtype=torch.float64) for _ in range(2))
    return (
        logits,
        torch.randint(A, (B, H), generator=generator),
        returns,
        values,
        torch.rand(B, H, generator=generator).double(),
    )


def test_alive_is_the_product_of_what_came_before():
    continues = torch.tensor([[1.0, 0.5, 0.0, 1.0]], requires_grad=True)
    found = alive(continues)
    assert found.tolist() == [[1, 1, 0.5, 0]] and not found.requires_grad


def test_the_mean_gradient_is_that_of_the_expected_return():
    """With every action tried as often as the policy takes it, REINFORCE ascends the expected return."""
    logits = torch.tensor([0.3, -0.4, 0.9], dtype=torch.float64, requires_grad=True)
    outcome, policy = torch.tensor([0.2, 0.7, -0.1], dtype=torch.float64), logits.softmax(dim=0)
    expected = torch.autograd.grad((policy * outcome).sum(), logits)[0]
    ones = torch.ones(1, A, dtype=torch.float64)
    loss = actor_loss(logits.expand(1, A, A), torch.arange(A)[None], outcome[None], 0.1 * ones,
                      A * policy.detach()[None], entropy=0.0)  # fmt: skip
    torch.testing.assert_close(-torch.autograd.grad(loss, logits)[0], expected)


def test_large_returns_are_scaled_and_small_ones_left_alone(dream):
    logits, actions, returns, values, weights = dream
    usual = actor_loss(logits, actions, 100 * returns, 100 * values, weights, entropy=0.0)
    torch.testing.assert_close(actor_loss(logits, actions, 900 * returns, 900 * values, weights, entropy=0.0), usual)
    small = actor_loss(logits, actions, returns / 100, values / 100, weights, entropy=0.0)
    torch.testing.assert_close(
        actor_loss(logits, actions, returns / 900, values / 900, weights, entropy=0.0), small / 9
    )


def test_entropy_alone_makes_the_policy_even(dream):
    logits, actions, returns, _, weights = dream
    logits = logits.clone().requires_grad_()
    for _ in range(200):
        loss = actor_loss(logits, actions, returns, returns, weights + 0.5, entropy=1.0)
        logits = (logits - 20 * torch.autograd.grad(loss, logits)[0]).detach().requires_grad_()
    torch.testing.assert_close(logits.softmax(dim=-1), torch.full((B, H, A), 1 / 3).double(), atol=0.02, rtol=0)


def test_states_that_do_not_count_do_not_count(dream):
    logits, actions, returns, values, weights = dream
    weights = weights.clone()
    weights[:, 3:] = 0
    changed = logits.clone()
    changed[:, 3:] += 5
    before, after = (actor_loss(x, actions, returns, values, weights) for x in (logits, changed))
    torch.testing.assert_close(after, before)
