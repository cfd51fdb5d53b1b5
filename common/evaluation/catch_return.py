"""The return of a player in the real `catch`: one ball per game, +1 if it is caught and -1 if it is missed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from common.data.arcade.catch import REWARDS, Catch
from common.data.arcade.profiles import profiles
from common.tensor_ops import from_uint8


@dataclass(frozen=True)
class RealReturns:
    """What came of N games.

    Attributes:
        returns: float32 `(N,)`, each +1 or -1.
        frames: uint8 `(N, T, 32, 32, 3)`: all that was seen, from the serve to the ball's end.
        actions: int64 `(N, T - 1)`.
    """

    returns: torch.Tensor
    frames: np.ndarray
    actions: torch.Tensor

    @property
    def mean(self) -> float:
        """The mean return."""
        return self.returns.mean().item()

    def interval(self, num_draws: int = 2000) -> tuple[float, float]:
        """The middle 95 % of the mean return over games drawn again with replacement (bootstrap)."""
        draws = torch.Generator().manual_seed(0)
        rows = torch.randint(len(self.returns), (num_draws, len(self.returns)), generator=draws)
        low, high = self.returns[rows].mean(dim=1).quantile(torch.tensor([0.025, 0.975])).tolist()
        return low, high


def real_returns(player: Callable, num_games: int, split: str = "test", first: int = 0) -> RealReturns:
    """Play one ball in each of N games at once.

    Args:
        player: `player(frames, actions)` gives the N actions, int64. It gets the frames that are shown now,
            `(N, 3, 32, 32)` in [-1, 1], and the actions that led to them, or None at the serve.
        num_games: N.
        split: of the serves.
        first: the seed of the first game.
    """
    games = [Catch(split) for _ in range(num_games)]
    for number, game in enumerate(games):
        game.reset(first + number)
    shown, pressed, returns, actions = [], [], torch.zeros(num_games), None
    while not returns.all():  # all balls fall at one speed, so all games end with the same frame
        shown.append(np.stack([game.frame() for game in games]))
        frames = from_uint8(torch.from_numpy(shown[-1])).movedim(-1, 1)
        actions = player(frames, actions)
        pressed.append(actions)
        for number, (game, action) in enumerate(zip(games, actions.tolist())):
            for event in game.step(action):
                returns[number] = REWARDS[event]
    shown.append(np.stack([game.frame() for game in games]))
    return RealReturns(returns, np.stack(shown, axis=1), torch.stack(pressed, dim=1))


class RandomPlayer:
    """Each action is drawn by itself, all with the same probability.

    Args:
        seed: of the draws.
    """

    def __init__(self, seed: int = 0):
        self.draws = torch.Generator().manual_seed(seed)

    def __call__(self, frames, actions):
        """See `real_returns`."""
        return torch.randint(3, (len(frames),), generator=self.draws)


class AgentPlayer:
    """An agent that was trained in a dream, awake: it follows the profiles of real frames and acts on its state.

    Args:
        agent: a `DreamAgent`, or anything with its `follow`, `actor` and `core.initial`.
        actor: in place of the agent's own.
        seed: of the draws, of latents and of actions.
    """

    def __init__(self, agent, actor: Callable | None = None, seed: int = 0):
        self.agent, self.actor = agent, actor
        self.draws, self.state = torch.Generator().manual_seed(seed), None

    @torch.no_grad()
    def __call__(self, frames, actions):
        """See `real_returns`."""
        if actions is None:  # a serve: a new episode
            self.state, actions = self.agent.core.initial(len(frames)), torch.zeros(len(frames), dtype=torch.long)
        self.state = self.agent.follow(profiles(frames[:, :, None])[:, 0], self.state, actions, self.draws)
        logits = (self.actor or self.agent.actor)(self.state.features)
        return torch.multinomial(logits.softmax(dim=-1), 1, generator=self.draws)[:, 0]
