"""REINFORCE with a critic, as DreamerV3 uses it for discrete actions (Hafner et al. 2023, arXiv:2301.04104, eq. 6, 11).

The gradient of a return with respect to the policy needs no gradient of the world (Williams 1992): actions that did
better than the critic expected become more likely. Returns are divided by their spread, so that one weight of the
entropy suits games whose points are hundredths and games whose points are hundreds.
"""

import torch


def alive(continues: torch.Tensor) -> torch.Tensor:
    """How much of a dream is left in each of its H states: the product of all `continues` before it.

    Args:
        continues: c_0 … c_{H-1}, `(B, H)`: whether the episode goes on after step t.

    Returns:
        `(B, H)` without gradient: 1 in state 0, then c_0, c_0 c_1, …
    """
    first = torch.ones_like(continues[:, :1])
    return torch.cat([first, continues[:, :-1]], dim=1).cumprod(dim=1).detach()


def actor_loss(
    logits: torch.Tensor,
    actions: torch.Tensor,
    returns: torch.Tensor,
    values: torch.Tensor,
    weights: torch.Tensor,
    *,
    entropy: float = 3e-3,
) -> torch.Tensor:
    """REINFORCE with a baseline, percentile-scaled returns and an entropy bonus.

        -mean( w · ( sg((R - v) / S) · ln π(a | s) + η · H[π(· | s)] ) ),   S = max(1, P95(R) - P5(R))

    sg stops the gradient: the loss trains the policy alone. H is the entropy in nats. P5 and P95 are the 5th and 95th
    percentiles of all B H returns together, as `torch.quantile` gives them. (DreamerV3 smooths S over steps.)

    Args:
        logits: of the policy π in states 0 … H-1, `(B, H, A)`, not normalized.
        actions: a, int64 `(B, H)`: what was pressed there.
        returns: R, `(B, H)`.
        values: v, the critic's estimates of the same states, `(B, H)`.
        weights: w, `(B, H)`: how much each state counts. Their gradient is stopped too.
        entropy: η.

    Returns:
        A scalar: the mean is over all B H places, whatever their weights.
    """
    log_policy = logits.log_softmax(dim=-1)
    chosen = log_policy.gather(-1, actions[..., None])[..., 0]
    bonus = -(log_policy.exp() * log_policy).sum(dim=-1)
    low, high = torch.quantile(returns.detach(), returns.new_tensor([0.05, 0.95]))
    advantages = ((returns - values) / (high - low).clamp(min=1.0)).detach()
    return -(weights.detach() * (advantages * chosen + entropy * bonus)).mean()
