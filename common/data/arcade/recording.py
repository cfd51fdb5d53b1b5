"""Many plays in memory, and windows of them by number: what a world model is trained on.

`record` plays; `Recording.batch` hands out. The convention is that of `game`: `actions[:, t]` is pressed while frame t
is shown and leads to frame t + 1. Frames stay uint8; those of a game with a palette are numbers of it, a third of the
bytes, so 400,000 frames of `rooms` take 1.6 GB.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from einops import rearrange

from common.data.arcade.catch import Catch, CatchScript
from common.data.arcade.dice import Dice
from common.data.arcade.game import Game, Player
from common.data.arcade.players import Mixed, RandomKeys
from common.data.arcade.rooms import Rooms
from common.data.arcade.rooms_player import RoomsScript
from common.progress import progress_bar
from common.tensor_ops import from_uint8


@dataclass(frozen=True)
class ActionBatch:
    """Windows of plays.

    Attributes:
        pixels: uint8 `(B, 3, T, H, W)`.
        actions: int64 `(B, T - 1)`; `actions[:, t]` leads from frame t to frame t + 1.
    """

    pixels: torch.Tensor
    actions: torch.Tensor

    def __len__(self) -> int:
        return len(self.pixels)

    def clips(self, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """The pixels as clips `(B, 3, T, H, W)` in [-1, 1]."""
        return from_uint8(self.pixels, dtype)

    def to(self, device=None) -> "ActionBatch":
        """The same batch elsewhere."""
        return replace(self, pixels=self.pixels.to(device), actions=self.actions.to(device))


@dataclass(frozen=True, eq=False)
class Recording:
    """N plays of T frames each.

    Attributes:
        frames: uint8 `(N, T, H, W)` with a palette, else `(N, T, H, W, 3)`.
        actions: uint8 `(N, T - 1)`.
        palette: uint8 `(P, 3)`, or None.
        events: how often each event happened.
        key: what was recorded, in words.
        window: frames in a window that `batch` hands out.
    """

    frames: np.ndarray
    actions: np.ndarray
    palette: np.ndarray | None
    events: dict[str, int]
    key: str
    window: int = field(default=5)

    def __post_init__(self):
        if not 1 <= self.window <= self.frames.shape[1]:
            raise ValueError(f"a window of a play of {self.frames.shape[1]} frames can't have {self.window}")

    def with_window(self, window: int) -> "Recording":
        """The same plays, cut into windows of another length."""
        return replace(self, window=window)

    def play(self, number: int) -> ActionBatch:
        """A whole play, as a batch of one."""
        return self.windows([(number, 0)], self.frames.shape[1])

    def batch(self, indices: Iterable[int]) -> ActionBatch:
        """Windows by number, at random places of random plays; the same number gives the same window."""
        num_plays, length = self.frames.shape[:2]
        places = []
        for index in indices:
            dice = Dice(int(index), 4)
            places.append((dice.below(num_plays), dice.below(length - self.window + 1)))
        return self.windows(places, self.window)

    def windows(self, places: list[tuple[int, int]], length: int) -> ActionBatch:
        """Windows of a length at given places: pairs of a play's number and of its first frame in the window."""
        frames = np.stack([self.frames[number, first : first + length] for number, first in places])
        actions = np.stack([self.actions[number, first : first + length - 1] for number, first in places])
        if self.palette is None:
            pixels = rearrange(torch.from_numpy(frames), "b t h w c -> b c t h w")
        else:
            colors = np.take(self.palette.T, frames, axis=1)
            pixels = rearrange(torch.from_numpy(colors), "c b t h w -> b c t h w")
        return ActionBatch(pixels.contiguous(), torch.from_numpy(actions.astype(np.int64)))


def record(
    game: Game,
    player: Player,
    num_plays: int,
    num_frames: int,
    *,
    first: int = 0,
    window: int = 5,
    progress: bool = True,
) -> Recording:
    """Play and keep what is seen.

    Args:
        game: of any kind. If it has a `palette` and a `painting`, these are kept instead of its frames.
        player: gives the action for each state.
        num_plays: N; play number k has the seed `first + k`.
        num_frames: T, of each play.
        first: the seed of the first play.
        window: frames in a window of `Recording.batch`.
        progress: whether to show a bar.

    Raises:
        ValueError: there is nothing to record.
    """
    if num_plays < 1 or num_frames < 2:
        raise ValueError(f"at least 1 play of 2 frames, got {num_plays=}, {num_frames=}")
    palette = getattr(game, "palette", None)
    look = game.frame if palette is None else game.painting
    game.reset(first)
    frames = np.empty((num_plays, num_frames, *look().shape), dtype=np.uint8)
    actions = np.empty((num_plays, num_frames - 1), dtype=np.uint8)
    events = Counter()
    for number in progress_bar(range(num_plays), desc=f"playing {game.name}", disable=not progress or None):
        game.reset(first + number)
        player.reset(first + number)
        frames[number, 0] = look()
        for t in range(num_frames - 1):
            actions[number, t] = action = player(game.state())
            events.update(game.step(action))
            frames[number, t + 1] = look()
    key = f"{game.name}-{getattr(game, 'split', 0)}-{num_plays}x{num_frames}-from-{first}"
    return Recording(frames, actions, palette, dict(events), key, window)


def mixed_player(name: str) -> Mixed:
    """A script for two thirds of the frames, random keys for the rest: what the course's models are trained on.

    Args:
        name: `rooms` or `catch`.

    Raises:
        ValueError: it is another game.
    """
    if name not in ("rooms", "catch"):
        raise ValueError(f"the games with a script are rooms and catch, got {name!r}")
    game, script = (Rooms, RoomsScript()) if name == "rooms" else (Catch, CatchScript())
    return Mixed(script, RandomKeys(len(game.actions)))


def arcade_recording(
    name: str, num_frames: int = 400_000, split: str = "train", *, window: int = 5, first: int = 0
) -> Recording:
    """Plays of 500 frames by `mixed_player`: the data of `arcade-rooms` in one call, the same each time.

    Args:
        name: `rooms` or `catch`.
        num_frames: in all, rounded up to whole plays.
        split: `train` or `test`.
        window: frames in a window of `Recording.batch`.
        first: the number of the first play.
    """
    player = mixed_player(name)
    game = Rooms(split) if name == "rooms" else Catch(split)
    return record(game, player, -(-num_frames // 500), 500, first=first, window=window)
