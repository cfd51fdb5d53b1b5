"""The two losses of `catch-dream`: of the world, from recorded play, and of actor and critic, from the dream."""

import torch
from torch.nn import functional as F

from common.data.arcade.episodes import Windows
from common.models.categorical import kl_balance
from common.models.dream_agent import DreamAgent, imagine
from common.models.rssm import RSSMState
from common.training.actor_critic import actor_loss, alive
from common.training.returns import lambda_return

HORIZON, DISCOUNT, TRACE, ENTROPY = 15, 0.99, 0.95, 5e-3
REWARD_WEIGHT = 10.0  # the squared error of profiles is a sum over 192 numbers, a reward is one number


def world_losses(
    agent: DreamAgent, windows: Windows, generator: torch.Generator | None = None, **balance: float
) -> dict:
    """What the world model is trained by: profiles, rewards and ends decoded from the posterior, and the balanced KL.

    Args:
        agent: whose world it is.
        windows: of recorded play.
        generator: of the draws.
        balance: options of `kl_balance`.

    Returns:
        `profiles` (squared error, summed over a frame's), `rewards` (squared error, times 10), `ends` (nats), `kl`
        (nats, weighted): scalars, means over frames.
    """
    observations = windows.observations()
    seen = agent.observe(observations, windows.actions, generator)
    error = (seen.predictions - observations).square().sum(dim=-1).mean()
    rewards = (agent.reward(seen.features) - windows.rewards).square().mean()
    ends = F.binary_cross_entropy_with_logits(agent.continue_head(seen.features)[..., 0], windows.continues)
    kl = kl_balance(seen.posterior, seen.prior, **balance)
    return {"profiles": error, "rewards": REWARD_WEIGHT * rewards, "ends": ends, "kl": kl}


@torch.no_grad()
def starts_of(agent: DreamAgent, windows: Windows, generator: torch.Generator | None = None) -> RSSMState:
    """The states of recorded play after which the episode goes on: where dreams begin."""
    features = agent.observe(windows.observations(), windows.actions, generator).features
    return agent.state_of(features[windows.continues > 0.5])


def policy_losses(agent: DreamAgent, features, actions, rewards, continues) -> dict:
    """What actor and critic are trained by, wherever the steps come from: the world gets no gradient.

    Args:
        agent: whose actor and critic they are.
        features: of the H + 1 states, `(B, H + 1, F)`.
        actions: int64 `(B, H)`; action t leads from state t to state t + 1.
        rewards: `(B, H)`, of the steps.
        continues: `(B, H)` in [0, 1]: whether the episode goes on after the step.

    Returns:
        `actor` and `critic` (half the squared error to the λ-returns), scalars; `return`, the mean λ-return.
    """
    values = agent.value(features)  # (B, H + 1)
    returns = lambda_return(rewards, values.detach(), continues, discount=DISCOUNT, trace=TRACE)
    weights = alive(continues)
    logits = agent.actor(features[:, :-1])
    actor = actor_loss(logits, actions, returns, values[:, :-1], weights, entropy=ENTROPY)
    critic = 0.5 * (weights * (values[:, :-1] - returns).square()).mean()
    return {"actor": actor, "critic": critic, "return": (weights * returns).sum() / weights.sum()}


def dreamt_losses(agent: DreamAgent, start: RSSMState, generator: torch.Generator | None = None) -> dict:
    """`policy_losses` of a fresh dream of `HORIZON` steps from these states, by the world's word for what it brings."""
    dream = imagine(agent.core, agent.actor, start, HORIZON, generator)
    with torch.no_grad():
        rewards, continues = agent.reward(dream.features[:, 1:]), agent.continues(dream.features[:, 1:])
    return policy_losses(agent, dream.features, dream.actions, rewards, continues)


def recorded_losses(agent: DreamAgent, windows: Windows, generator: torch.Generator | None = None) -> dict:
    """`policy_losses` of recorded play in place of a dream: the same algorithm on the same real frames."""
    with torch.no_grad():
        features = agent.observe(windows.observations(), windows.actions, generator).features
    return policy_losses(agent, features, windows.actions[:, 1:], windows.rewards[:, 1:], windows.continues[:, 1:])
