"""Any gymnasium environment with numbered actions as a `Game`: Atari, MiniGrid, CartPole, or one of your own.

Needs the extra `games`, or an environment that is already made.
"""

import copy
from typing import Any

import numpy as np
from PIL import Image

from common.data.arcade.game import check_action

MISSING = "gymnasium is not installed; it comes with the games: pip install 'flipbook-video[games]'."
PLAIN = (bool, int, float, str, tuple, list, dict, set, np.ndarray, np.generic, np.random.Generator, type(None))


class GymGame:
    """An environment, its pictures scaled by area.

    An episode that ends is followed by a new one, and the step says `end`.

    Args:
        environment: a name for `gymnasium.make`, or an environment with `render_mode="rgb_array"`.
        height, width: of the frames.
        actions: a name for each action; "0", "1", … if None.

    Raises:
        ImportError: a name was given, and gymnasium is not installed.
        ValueError: its actions are not numbered.
    """

    def __init__(self, environment: Any, *, height: int = 64, width: int = 64, actions: tuple[str, ...] | None = None):
        if isinstance(environment, str):
            try:
                import gymnasium
            except ImportError as error:
                raise ImportError(MISSING) from error
            environment = gymnasium.make(environment, render_mode="rgb_array")
        count = getattr(environment.action_space, "n", None)
        if count is None:
            raise ValueError(f"actions must be numbered (a Discrete space), got {environment.action_space}")
        if actions is not None and len(actions) != count:
            raise ValueError(f"the environment has {count} actions, got {len(actions)} names")
        self.environment, self.height, self.width = environment, height, width
        self.name = getattr(getattr(environment, "spec", None), "id", type(environment).__name__)
        self.actions = tuple(actions or (str(number) for number in range(int(count))))
        self.reset(0)

    def reset(self, seed: int) -> None:
        """A new episode. The same seed and actions give the same frames."""
        self.environment.reset(seed=seed)

    def step(self, action: int) -> tuple[str, ...]:
        """One step. Returns `reward` or `penalty` by the sign of the reward, and `end` if a new episode began."""
        check_action(self, action)
        _, reward, terminated, truncated, _ = self.environment.step(action)
        events = () if reward == 0 else ("reward",) if reward > 0 else ("penalty",)
        if terminated or truncated:
            self.environment.reset()  # goes on with the environment's own random numbers
            events += ("end",)
        return events

    def frame(self) -> np.ndarray:
        """What is seen now: uint8 `(height, width, 3)`."""
        picture = Image.fromarray(np.ascontiguousarray(self.environment.render()))
        return np.array(picture.convert("RGB").resize((self.width, self.height), Image.Resampling.BOX))

    def state(self) -> list[dict[str, Any]]:
        """A copy of the numbers, arrays and random generators in the environment and in each wrapper around it.

        Enough for environments written in Python. An emulator keeps its state elsewhere.
        """
        return [
            {name: copy.deepcopy(value) for name, value in vars(layer).items() if isinstance(value, PLAIN)}
            for layer in self._layers()
        ]

    def set_state(self, state: list[dict[str, Any]]) -> None:
        """Put the copies back."""
        for layer, values in zip(self._layers(), state, strict=True):
            vars(layer).update(copy.deepcopy(values))

    def _layers(self) -> list[Any]:
        layers = [self.environment]
        while "env" in vars(layers[-1]):
            layers.append(layers[-1].env)
        return layers
