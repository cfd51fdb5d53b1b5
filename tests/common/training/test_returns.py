"""λ-returns against their closed forms and against the definition: the weighted mean of all n-step returns."""

import pytest
import torch

from common.training.returns import lambda_return

B, H, DISCOUNT = 3, 5, 0.9


@pytest.fixture
def dream():
    generator = torch.Generator().manual_seed(0)
    rewards = torch.randn(B, H, generator=generator, dtype=torch.float64)
    values = torch.randn(B, H + 1, generator=generator, dtype=torch.float64)
    return rewards, values, torch.ones(B, H, dtype=torch.float64)


def n_step(rewards, values, start, count):
    """The return of `count` steps from `start`, as a sum."""
    total = sum(DISCOUNT**k * rewards[:, start + k] for k in range(count))
    return total + DISCOUNT**count * values[:, start + count]


def test_is_the_weighted_mean_of_all_n_step_returns(dream):
    rewards, values, continues = dream
    trace = 0.7
    returns = lambda_return(rewards, values, continues, discount=DISCOUNT, trace=trace)
    for start in range(H):
        longest = H - start
        expected = trace ** (longest - 1) * n_step(rewards, values, start, longest)
        for count in range(1, longest):
            expected = expected + (1 - trace) * trace ** (count - 1) * n_step(rewards, values, start, count)
        torch.testing.assert_close(returns[:, start], expected)


def test_lambda_zero_is_one_step_and_lambda_one_is_all(dream):
    rewards, values, continues = dream
    one = lambda_return(rewards, values, continues, discount=DISCOUNT, trace=0.0)
    torch.testing.assert_close(one, rewards + DISCOUNT * values[:, 1:])
    every = lambda_return(rewards, values, continues, discount=DISCOUNT, trace=1.0)
    torch.testing.assert_close(every[:, 0], n_step(rewards, values, 0, H))


def test_nothing_after_the_end_of_an_episode_counts(dream):
    rewards, values, continues = dream
    continues[:, 2] = 0
    before = lambda_return(rewards, values, continues, discount=DISCOUNT, trace=0.8)
    torch.testing.assert_close(before[:, 2], rewards[:, 2])
    rewards[:, 3:] += 10
    values[:, 3:] -= 10
    after = lambda_return(rewards, values, continues, discount=DISCOUNT, trace=0.8)
    torch.testing.assert_close(after[:, :3], before[:, :3])
    assert (after[:, 3:] - before[:, 3:]).abs().min() > 0.1


def test_a_perfect_critic_is_a_fixed_point(dream):
    """If v_t = r_t + γ v_{t+1} already, every λ gives back the values."""
    rewards, values, continues = dream
    for step in reversed(range(H)):
        values[:, step] = rewards[:, step] + DISCOUNT * values[:, step + 1]
    for trace in (0.0, 0.3, 1.0):
        torch.testing.assert_close(
            lambda_return(rewards, values, continues, discount=DISCOUNT, trace=trace), values[:, :-1]
        )


def test_refuses_values_of_the_wrong_length(dream):
    rewards, values, continues = dream
    with pytest.raises(ValueError, match="H \\+ 1"):
        lambda_return(rewards, values[:, :-1], continues)
