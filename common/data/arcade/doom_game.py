"""ViZDoom's scenarios as a `Game`, with their depth and label buffers: Doom in 64x64 pixels.

Needs the extra `games`. The scenarios (`health_gathering`, `basic`, `deadly_corridor`, …) come with the package.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from common.data.arcade.game import check_action

MISSING = "vizdoom is not installed; it comes with the games: pip install 'flipbook-video[games]'."
TICKS = 4  # of Doom's 35 per second, in one step: 8.75 frames per second


@dataclass(frozen=True)
class DoomState:
    """What the game tells of itself. It is not all there is, and the game cannot be set to it.

    Attributes:
        variables: the scenario's own, by name, such as `HEALTH`.
        reward: collected since the episode began.
    """

    variables: dict[str, float]
    reward: float


class Doom:
    """A scenario of ViZDoom, drawn at 160x120 and scaled by area.

    Action 0 presses nothing, every other one presses one of the scenario's buttons. An episode that ends is followed by
    a new one, and the step says `end`.

    Args:
        scenario: its name.
        height, width: of the frames.

    Raises:
        ImportError: ViZDoom is not installed.
        ValueError: there is no such scenario.
    """

    def __init__(self, scenario: str = "health_gathering", *, height: int = 64, width: int = 64):
        try:
            import vizdoom
        except ImportError as error:
            raise ImportError(MISSING) from error
        config = Path(vizdoom.scenarios_path) / f"{scenario}.cfg"
        if not config.is_file():
            names = sorted(path.stem for path in config.parent.glob("*.cfg"))
            raise ValueError(f"scenario is one of {', '.join(names)}, got {scenario!r}")
        self.name, self.height, self.width = scenario, height, width
        self._game = game = vizdoom.DoomGame()
        game.load_config(str(config))
        # The engine writes its own settings on leaving: not into the folder that the user happens to be in.
        self._settings = tempfile.TemporaryDirectory(prefix="vizdoom-")
        game.set_doom_config_path(str(Path(self._settings.name) / "settings.ini"))
        game.set_window_visible(False)
        game.set_screen_resolution(vizdoom.ScreenResolution.RES_160X120)
        game.set_screen_format(vizdoom.ScreenFormat.RGB24)
        game.set_depth_buffer_enabled(True)
        game.set_labels_buffer_enabled(True)
        game.set_mode(vizdoom.Mode.PLAYER)
        game.init()
        buttons = [button.name.lower().replace("_", " ") for button in game.get_available_buttons()]
        self.actions = ("stay", *buttons)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """A new episode. The same seed and actions give the same frames."""
        self._game.set_seed(seed)
        self._game.new_episode()
        self._seed = seed
        self._look()

    def step(self, action: int) -> tuple[str, ...]:
        """`TICKS` ticks with this button held. Returns `("end",)` if the episode ended and a new one began."""
        check_action(self, action)
        self._game.make_action([int(action == button) for button in range(1, len(self.actions))], TICKS)
        if self._game.is_episode_finished():
            self.reset(self._seed + 1)
            return ("end",)
        self._look()
        return ()

    def frame(self) -> np.ndarray:
        """What is seen now: uint8 `(height, width, 3)`."""
        return np.array(
            Image.fromarray(self._seen.screen_buffer).resize((self.width, self.height), Image.Resampling.BOX)
        )

    def depth(self) -> np.ndarray:
        """How far each pixel of the unscaled picture is: uint8 `(120, 160)`, in Doom's units."""
        return self._seen.depth_buffer.copy()

    def labels(self) -> tuple[np.ndarray, dict[int, str]]:
        """Which thing each pixel of the unscaled picture shows, uint8 `(120, 160)`; and the names of these numbers."""
        return self._seen.labels_buffer.copy(), {label.value: label.object_name for label in self._seen.labels}

    def state(self) -> DoomState:
        """The scenario's variables and the reward so far."""
        names = [variable.name for variable in self._game.get_available_game_variables()]
        return DoomState(dict(zip(names, self._seen.game_variables.tolist())), self._game.get_total_reward())

    def set_state(self, state: DoomState) -> None:
        """Raises NotImplementedError: Doom does not tell its whole state."""
        raise NotImplementedError("Doom cannot be set to a state; call reset(seed) and give the same actions again")

    def close(self) -> None:
        """End the game's process."""
        self._game.close()

    def _look(self) -> None:
        self._seen = self._game.get_state()
