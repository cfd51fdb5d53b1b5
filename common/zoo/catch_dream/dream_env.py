"""A dream as an environment of gymnasium: for any library that trains agents, and for `GymGame`.

    env = DreamEnv(DreamAgent.from_pretrained("catch-dream"), first_frames)
    frame, info = env.reset(seed=0)
    frame, reward, terminated, truncated, info = env.step(1)

With the extra `games` it is a `gymnasium.Env`. Without it, it has the same methods, and spaces that say no more than
their sizes.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from common.data.arcade.catch import SIZE
from common.models.dream_agent import DreamAgent
from common.tensor_ops import to_uint8
from common.zoo.catch_dream.measures import serve_states
from common.zoo.catch_dream.study import painted

Base: Any
spaces: Any
try:
    from gymnasium import Env as Base
    from gymnasium import spaces
except ImportError:
    Base, spaces = object, None


class DreamEnv(Base):
    """Episodes in a world model of `catch`, shown as pictures.

    Args:
        agent: whose world it is; its policy is not used.
        first_frames: real frames that episodes may begin with, `(N, 3, 32, 32)` in [-1, 1].
        most_steps: after so many steps an episode is truncated.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 12}
    render_mode = "rgb_array"

    def __init__(self, agent: DreamAgent, first_frames: torch.Tensor, most_steps: int = 50):
        self.agent, self.first_frames, self.most_steps = agent, first_frames, most_steps
        num_actions, shape = agent.config.num_actions, (SIZE, SIZE, 3)
        self.action_space = spaces.Discrete(num_actions) if spaces else SimpleNamespace(n=num_actions)
        self.observation_space = spaces.Box(0, 255, shape, np.uint8) if spaces else SimpleNamespace(shape=shape)
        self._draws, self._state, self._steps = torch.Generator(), agent.core.initial(1), 0

    @torch.no_grad()
    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict]:
        """A new episode: a real first frame is looked at, and no other. The same seed and actions give the same dream.

        Args:
            seed: of the choice of that frame and of all draws; without one, they go on from before.
            options: not used.
        """
        if seed is not None:
            self._draws.manual_seed(seed)
        row = torch.randint(len(self.first_frames), (1,), generator=self._draws)
        self._state, self._steps = serve_states(self.agent, self.first_frames[row], self._draws), 0
        return self.render(), {}

    @torch.no_grad()
    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        """One step of the dream: frame, reward, whether the world says it is over, whether it was cut off, nothing.

        Raises:
            ValueError: there is no such action.
        """
        if not 0 <= int(action) < self.agent.config.num_actions:
            raise ValueError(f"actions are 0 to {self.agent.config.num_actions - 1}, got {action}")
        pressed = torch.tensor([int(action)])
        self._state, _, _ = self.agent.core.step(self._state, pressed, generator=self._draws)
        self._steps += 1
        reward = self.agent.reward(self._state.features).item()
        over = self.agent.continues(self._state.features).item() < 0.5
        return self.render(), reward, over, not over and self._steps >= self.most_steps, {}

    @torch.no_grad()
    def render(self) -> np.ndarray:
        """The state as a picture, uint8 `(32, 32, 3)`."""
        clip = painted(self.agent, self._state.features[:, None])[0]  # (3, 1, 32, 32)
        return to_uint8(clip[:, 0]).permute(1, 2, 0).numpy()
