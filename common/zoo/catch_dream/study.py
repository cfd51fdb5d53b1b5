"""What lab 09.4 and its calibration share: fresh policies, episodes side by side, and the picture of the study."""

import copy
from collections.abc import Callable, Iterable, Mapping

import torch

from common.data.arcade.episodes import EPISODE, Windows
from common.data.arcade.profiles import draw_seen, read_profiles
from common.evaluation.catch_return import RealReturns
from common.models.dream_agent import DreamAgent, imagine
from common.models.rssm import head
from common.show.curves import COLORS
from common.tensor_ops import from_uint8
from common.training.short_run import short_run
from common.zoo.catch_dream.losses import HORIZON, dreamt_losses, policy_losses
from common.zoo.catch_dream.measures import serve_states

RATE, DREAMS = 3e-3, 96  # AdamW's learning rate; dreams per update
# What lab 09.4 compares: name to weights, whose world it is, and where the steps come from.
ARMS = {
    "in the dream": ("catch-dream", "dream"),
    "on real frames": ("catch-dream", "real"),
    "in a shuffled dream": ("catch-dream-shuffled", "dream"),
}


def fresh_policy(agent: DreamAgent, seed: int) -> DreamAgent:
    """A copy of an agent: the same world, frozen, with an actor and a critic that know nothing.

    Args:
        agent: is left alone.
        seed: of the new weights.
    """
    made = copy.deepcopy(agent).requires_grad_(False)
    features = made.actor[0].in_features
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made.actor = head(features, made.config.hidden_size, made.config.num_actions)
        made.critic_head = head(features, made.config.hidden_size, 1)
    return made


def train_policy(world: DreamAgent, windows: Windows, arm: str, num_steps: int, seed: int) -> DreamAgent:
    """A fresh policy in a world, trained as in lab 09.4: AdamW at a constant rate.

    Args:
        world: is left alone.
        windows: of recorded play. Dreams begin in their states, and the arm `real` learns from their steps.
        arm: `dream` or `real`: where the steps come from that it learns from.
        num_steps: updates.
        seed: of the new weights and of all draws.

    Raises:
        ValueError: there is no such arm.
    """
    if arm not in ("dream", "real"):
        raise ValueError(f"steps come from a dream or are real, got {arm!r}")
    agent, draws = fresh_policy(world, seed), torch.Generator().manual_seed(seed)
    features = torch.cat([
        agent.observe(part.observations(), part.actions, torch.Generator().manual_seed(0)).features.detach()
        for part in (windows[rows] for rows in torch.arange(len(windows)).split(120))
    ])  # fmt: skip
    starts = features[windows.continues > 0.5]
    optimizer = torch.optim.AdamW([*agent.actor.parameters(), *agent.critic_head.parameters()], lr=RATE)

    def compute_loss(step: int) -> torch.Tensor:
        if arm == "dream":
            begin = agent.state_of(starts[torch.randint(len(starts), (DREAMS,), generator=draws)])
            losses = dreamt_losses(agent, begin, draws)
        else:
            rows = torch.randint(len(windows), (DREAMS * HORIZON // (EPISODE - 1),), generator=draws)
            part = windows[rows]
            steps = part.actions[:, 1:], part.rewards[:, 1:], part.continues[:, 1:]
            losses = policy_losses(agent, features[rows], *steps)
        return losses["actor"] + losses["critic"]

    short_run(optimizer, compute_loss, num_steps, decay=0, max_grad_norm=1.0, desc="policy")
    return agent


def use_core(agent: DreamAgent, kind: Callable) -> DreamAgent:
    """Rebuild the RSSM of an agent from another class, with the same weights.

    Args:
        agent: is changed.
        kind: made and called like `RSSM`, with the same parameters.
    """
    config = agent.core.config
    names = ("observation_size", "num_actions", "hidden_size", "num_latents", "num_classes")
    made = kind(**{name: config[name] for name in names})
    made.load_state_dict(agent.core.state_dict())
    agent.core = made.eval().requires_grad_(False)
    return agent


def first_frames(played: RealReturns) -> torch.Tensor:
    """What is seen at the serves of real games: `(N, 3, 32, 32)` in [-1, 1]."""
    return from_uint8(torch.from_numpy(played.frames[:, 0])).movedim(-1, 1)


@torch.no_grad()
def painted(agent: DreamAgent, features: torch.Tensor) -> torch.Tensor:
    """States `(B, T, F)` as clips `(B, 3, T, 32, 32)` in [-1, 1]: the frames of the game nearest to what is decoded."""
    return torch.stack([draw_seen(read_profiles(row)) for row in agent.decode(features)])


@torch.no_grad()
def side_by_side(
    agent: DreamAgent, played: RealReturns, games: Iterable[int], seed: int = 0
) -> dict[str, torch.Tensor]:
    """Real games one after the other, and for each a dream that begins with the same frame.

    Args:
        agent: dreams, and plays in its dream.
        played: real games by this agent.
        games: their numbers.
        seed: of the dreams.

    Returns:
        Two clips `(3, T, 32, 32)` in [-1, 1], by name.
    """
    rows = list(games)
    start = serve_states(agent, first_frames(played)[rows], torch.Generator().manual_seed(seed))
    dream = imagine(agent.core, agent.actor, start, EPISODE - 1, torch.Generator().manual_seed(seed))
    real = from_uint8(torch.from_numpy(played.frames[rows])).movedim(-1, 1)  # (N, 3, T, 32, 32)
    clips = {"the game": real, "the dream": painted(agent, dream.features)}
    return {name: torch.cat(list(clip), dim=1) for name, clip in clips.items()}


def draw_study(arms: Mapping[str, Mapping[str, list[float]]], lines: Mapping[str, float], title: str):
    """Dreamt and real returns of every arm, a point per run, and the distance between them.

    Args:
        arms: name to `real` and, for arms that dream, `dream`: a return per run.
        lines: name to a return to compare with.
        title: of the figure.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7.6, 3.0), layout="constrained")
    for place, arm in enumerate(arms.values()):
        for shift, name, words in ((-0.12, "dream", "in its dream"), (0.12, "real", "in the game")):
            values, color = arm.get(name, []), COLORS[0] if name == "real" else COLORS[3]
            axis.plot([place + shift] * len(values), values, "o", markersize=5, alpha=0.7, color=color,
                      label=None if place else words)  # fmt: skip
        if arm.get("dream"):
            means = [sum(arm[name]) / len(arm[name]) for name in ("dream", "real")]
            axis.plot([place - 0.12, place + 0.12], means, color="0.4", linewidth=1.2)
    for name, value in lines.items():
        axis.axhline(value, color="0.6", linestyle="--", linewidth=0.9)
        axis.text(len(arms) - 0.45, value, name, fontsize=8, va="bottom")
    axis.set(xlim=(-0.5, len(arms) + 0.1), ylim=(-1.1, 1.12), ylabel="return per ball")
    axis.set_xticks(range(len(arms)), list(arms), fontsize=9)
    axis.set_title(title, fontsize=10)
    axis.legend(fontsize=8, loc="lower left")
    plt.close(figure)
    return figure
