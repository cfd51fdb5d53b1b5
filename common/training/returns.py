"""λ-returns: what a critic learns from when the rewards come from a dream.

A return of one step trusts the critic at once, a return of H steps trusts every reward of the dream and nothing else.
The λ-return is the mean of all of them with geometric weights (Sutton and Barto, section 12.1). Dreamer computes it
backwards over imagined steps (DreamerV3, Hafner et al. 2023, arXiv:2301.04104).
"""

import torch


def lambda_return(
    rewards: torch.Tensor,
    values: torch.Tensor,
    continues: torch.Tensor,
    *,
    discount: float = 0.99,
    trace: float = 0.95,
) -> torch.Tensor:
    """λ-returns of H steps, computed from the last one to the first.

        R_t = r_t + γ c_t ((1 - λ) v_{t+1} + λ R_{t+1}),   R_H = v_H

    Step t leads from state t to state t + 1. Its reward is r_t, and c_t says whether the episode goes on after it.

    Args:
        rewards: r_0 … r_{H-1}, `(B, H)`.
        values: the critic's estimates v_0 … v_H of the H + 1 states, `(B, H + 1)`. The first is not used.
        continues: c_0 … c_{H-1}, `(B, H)` in [0, 1]: 0 where the episode ends with this step.
        discount: γ, in [0, 1].
        trace: λ, in [0, 1]: 0 gives the return of one step, 1 the discounted sum of all rewards and the last value.

    Returns:
        R_0 … R_{H-1}, `(B, H)`. Gradients flow to rewards, values and continues.

    Raises:
        ValueError: the shapes do not fit.
    """
    if continues.shape != rewards.shape or values.shape != (rewards.shape[0], rewards.shape[1] + 1):
        raise ValueError(
            f"rewards and continues are (B, H) and values (B, H + 1), got {tuple(rewards.shape)}, "
            f"{tuple(continues.shape)} and {tuple(values.shape)}"
        )
    result = values[:, -1]
    returns = []
    for step in reversed(range(rewards.shape[1])):
        mixed = (1 - trace) * values[:, step + 1] + trace * result
        result = rewards[:, step] + discount * continues[:, step] * mixed
        returns.append(result)
    return torch.stack(returns[::-1], dim=1) if returns else torch.zeros_like(rewards)
