"""How good `catch-dream` is: its policy in the real game and in its own dream, and whether the dream comes true.

Serves are of the test split. A return is that of one ball: +1 if it is caught, -1 if it is missed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from common.data.arcade.catch import Catch, CatchScript
from common.data.arcade.episodes import EPISODE, CatchEpisodes, Windows
from common.data.arcade.profiles import profiles, read_profiles
from common.evaluation.catch_return import AgentPlayer, RandomPlayer, real_returns
from common.models.dream_agent import DreamAgent, imagine
from common.tensor_ops import from_uint8
from common.training.actor_critic import alive
from common.zoo.settings import pick_setting

SETTINGS = {"small": 128, "full": 512}  # games
SEEN = 8  # frames that are looked at before the dream goes on alone
AHEAD = (1, 5, 15)  # frames
MARGIN = 4  # steps: how much longer than the game a dream may last


def measure(agent, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        agent: a `DreamAgent`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Raises:
        ValueError: there is no such setting.
    """
    count, tell = pick_setting(SETTINGS, setting), progress or (lambda part: None)
    played = real_returns(AgentPlayer(agent), count)
    tell(0.4)
    random = real_returns(RandomPlayer(), count).mean
    low, high = played.interval()
    first = from_uint8(torch.from_numpy(played.frames[:, 0])).movedim(-1, 1)
    dreamt = dream_returns(agent, first).mean().item()
    tell(0.8)
    found = {"real": played.mean, "real_low": low, "real_high": high, "random": random, "dream": dreamt}
    found |= {"gap": dreamt - played.mean, "way": way(played.mean, random)}
    return found | comes_true(agent, CatchEpisodes(min(20, count // 32) * 500, "test").windows)


def way(real: float, random: float) -> float:
    """How far a return has come from that of random keys to that of the best player, who catches every ball."""
    return (real - random) / (1 - random)


@torch.no_grad()
def serve_states(agent: DreamAgent, first_frames: torch.Tensor, draws: torch.Generator) -> Any:
    """The states after one real frame, `(B, 3, 32, 32)` in [-1, 1], has been looked at."""
    nothing, observations = torch.zeros(len(first_frames), dtype=torch.long), profiles(first_frames[:, :, None])[:, 0]
    return agent.follow(observations, agent.core.initial(len(first_frames)), nothing, draws)


@torch.no_grad()
def dream_returns(agent: DreamAgent, first_frames: torch.Tensor, actor: Callable | None = None, seed: int = 0):
    """The returns of whole episodes in the dream, by its own word for rewards and ends.

    Args:
        agent: whose world it is.
        first_frames: real ones, `(B, 3, 32, 32)` in [-1, 1]: all that is seen.
        actor: in place of the agent's own.
        seed: of all draws.

    Returns:
        `(B,)`: the sum of the rewards, each times the probability that the episode has not ended before.
    """
    draws = torch.Generator().manual_seed(seed)
    start = serve_states(agent, first_frames, draws)
    dream = imagine(agent.core, actor or agent.actor, start, EPISODE - 1 + MARGIN, draws)
    rewards, continues = agent.reward(dream.features[:, 1:]), agent.continues(dream.features[:, 1:])
    return (alive(continues) * rewards).sum(dim=1)


@torch.no_grad()
def comes_true(agent: DreamAgent, windows: Windows, seed: int = 0) -> dict[str, float]:
    """Whether a dream with recorded keys goes as the game went: eight frames are seen, the rest is imagined.

    Returns:
        `paddle_…`: of the frames so many steps ahead, the part with the paddle at the right place; `ball_…`: with the
        ball at most 1 pixel off in each direction; `foretold`: episodes whose dreamt reward at the end has the sign of
        the real one; `always_missed`: the same of the guess that every ball is missed.
    """
    draws, observations = torch.Generator().manual_seed(seed), windows.observations()
    seen = agent.observe(observations[:, :SEEN], windows.actions[:, :SEEN], draws)
    state, features = agent.state_of(seen.features[:, -1]), []
    for actions in windows.actions[:, SEEN:].unbind(dim=1):
        state, _, _ = agent.core.step(state, actions, generator=draws)
        features.append(state.features)
    dream, found = torch.stack(features, dim=1), {}
    for ahead in AHEAD:
        truth = read_profiles(observations[:, SEEN - 1 + ahead])
        made = read_profiles(agent.decode(dream[:, ahead - 1]))
        found[f"paddle_{ahead}"] = share(m.paddle == t.paddle for m, t in zip(made, truth))
        off = [max(abs(a - b) for a, b in zip(m.ball, t.ball)) for m, t in zip(made, truth)]
        found[f"ball_{ahead}"] = share(pixels <= 1 for pixels in off)
    real = windows.rewards[:, -1]
    right = agent.reward(dream[:, -1]).sign() == real
    return found | {"foretold": right.float().mean().item(), "always_missed": (real < 0).float().mean().item()}


def share(right) -> float:
    """The part that is true."""
    return float(np.mean(list(right)))


def best_return(count: int) -> float:
    """The mean return of the best player, who reads the engine's state, in the first `count` games."""
    total, script = 0.0, CatchScript()
    for number in range(count):
        game, events = Catch("test"), ()
        game.reset(number)
        while not events:
            events = game.step(script(game.state()))
        total += 1 if events == ("catch",) else -1
    return total / count
