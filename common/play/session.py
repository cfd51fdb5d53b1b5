"""A game that is being played: frames out of a world model or out of the engine, a log, a recording. No web here.

A world model is anything with `num_actions, height, width, context` and `start(frames, actions, seed=, num_steps=,
context_noise=)`, such as `pipelines.world.WorldModel`. The session that it starts has a `step(action)` that gives the
next frame, and `num_steps` and `context_noise` that may be changed between two steps.
"""

from dataclasses import dataclass

import numpy as np

from common.play.log import Log
from common.play.playable import Playable, close
from common.play.settings import Settings

MOST_RECORDED = 6000  # frames: five minutes at 20 per second


@dataclass(frozen=True)
class Start:
    """What a game begins with, out of the engine.

    Attributes:
        frames: uint8 `(n, H, W, 3)`; the last one is shown first.
        actions: n - 1 of them, each between two of the frames.
    """

    frames: np.ndarray
    actions: tuple[int, ...]


class Session:
    """A game under way.

    Args:
        playable: what is played.
        seed: of the first start.
        settings: of the sampler; None for the playable's own. The engine has none.
    """

    def __init__(self, playable: Playable, seed: int = 0, settings: Settings | None = None):
        self.playable, self.game, self.world = playable, playable.make_game(), playable.world
        self.settings = settings or playable.settings
        self.log = Log(world=playable.world_name, game=playable.game_name)
        self.log.set(self.settings.num_steps, self.settings.context_noise)
        self.recorded: list[np.ndarray] = []
        self.is_recording = False
        self.restart(seed)

    @property
    def height(self) -> int:
        """Of the frames."""
        return self.frame.shape[0]

    @property
    def width(self) -> int:
        """Of the frames."""
        return self.frame.shape[1]

    def restart(self, seed: int | None = None) -> Start:
        """Begin again with real frames.

        Args:
            seed: of the engine and of the sampler; None for the next one.
        """
        self.seed = self.seed + 1 if seed is None else seed
        self.game.reset(self.seed)
        frames, length = [self.game.frame()], 1 if self.world is None else self.world.context
        for _ in range(length - 1):  # a model needs a past, and pressing nothing is one
            self.game.step(0)
            frames.append(self.game.frame())
        self.start = Start(np.stack(frames), (0,) * (length - 1))
        self.log.restart(self.seed)
        self._dream = self._begin_dream()
        self.number = 0
        self._show(frames[-1])
        return self.start

    def configure(self, settings: Settings) -> None:
        """Other settings from the next frame on."""
        if settings == self.settings:
            return
        self.settings = settings
        self.log.set(settings.num_steps, settings.context_noise)
        if self._dream is not None:
            self._dream.num_steps, self._dream.context_noise = settings.num_steps, settings.context_noise

    def step(self, action: int) -> np.ndarray:
        """The next frame, uint8 `(H, W, 3)`.

        Args:
            action: pressed while the frame before it is shown.
        """
        if self._dream is None:
            self.game.step(action)
            frame = self.game.frame()
        else:
            frame = np.asarray(self._dream.step(action))
        self.number += 1
        self.log.act(action)
        self._show(frame)
        return frame

    def record(self) -> None:
        """Keep the frames from now on."""
        self.recorded, self.is_recording = [self.frame], True

    def stop_recording(self) -> list[np.ndarray]:
        """The frames that were kept."""
        frames, self.recorded, self.is_recording = self.recorded, [], False
        return frames

    def close(self) -> None:
        """End the game's process, if it has one."""
        close(self.game)

    def _begin_dream(self):
        if self.world is None:
            return None
        options = {"num_steps": self.settings.num_steps, "context_noise": self.settings.context_noise}
        return self.world.start(self.start.frames, list(self.start.actions), seed=self.seed, **options)

    def _show(self, frame: np.ndarray) -> None:
        self.frame = frame
        self.log.saw(frame)
        if self.is_recording and len(self.recorded) < MOST_RECORDED:
            self.recorded.append(frame)
