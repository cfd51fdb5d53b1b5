"""Windows of recorded play as Dreamer reads them: each frame has what led to it, and no window crosses an end.

`game` says that action t is pressed while frame t is shown and leads to frame t + 1. A world model that follows play
wants it the other way round: at every frame, the action, the reward and the end of the episode that came *with* it
(DreamerV3, Hafner et al. 2023, arXiv:2301.04104).
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from einops import rearrange

from common.data.arcade.catch import FIRST_ROW, GREEN, LAST_ROW, PADDLE_ROW, PALETTE, RED, Catch
from common.data.arcade.players import RandomKeys
from common.data.arcade.profiles import profiles
from common.data.arcade.recording import record
from common.tensor_ops import from_uint8

EPISODE = LAST_ROW - FIRST_ROW + 1  # frames of one ball of `catch`: from the first row to the last


@dataclass(frozen=True)
class Windows:
    """N windows of L frames.

    Attributes:
        frames: `(N, L, ...)`.
        actions: int64 `(N, L)`; entry t *led to* frame t. Entry 0 is 0.
        rewards: float32 `(N, L)`, that came with frame t. Entry 0 is 0.
        continues: float32 `(N, L)`: 0 where the episode ends with frame t, else 1. Entry 0 is 1.
    """

    frames: torch.Tensor
    actions: torch.Tensor
    rewards: torch.Tensor
    continues: torch.Tensor

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, rows) -> "Windows":
        return Windows(*(getattr(self, field.name)[rows] for field in fields(self)))

    def observations(self) -> torch.Tensor:
        """Frames that are numbers of `catch`'s palette as `profiles`, `(N, L, 192)`."""
        return profiles(self.clips())

    def clips(self) -> torch.Tensor:
        """Frames that are numbers of `catch`'s palette as clips `(N, 3, L, H, W)` in [-1, 1]."""
        colors = torch.from_numpy(PALETTE)[self.frames.long()]  # (N, L, H, W, 3)
        return from_uint8(rearrange(colors, "n t h w c -> n c t h w"))

    def to(self, device=None) -> "Windows":
        """The same windows elsewhere."""
        return Windows(*(getattr(self, field.name).to(device) for field in fields(self)))


def episode_windows(
    frames: torch.Tensor, actions: torch.Tensor, rewards: torch.Tensor, ends: torch.Tensor, length: int
) -> Windows:
    """All windows of one recorded play that lie inside an episode, each frame with what led to it.

    Step t leads from frame t to frame t + 1. Frame t + 1 is the last one of its episode where `ends[t]` says so, and
    the frame after it is the first one of the next episode. The last frame of an episode may be the last frame of a
    window, and no other.

    What led to a window's own first frame is not part of the window: there the action and the reward are 0, and
    `continues` is 1.

    Args:
        frames: `(T, ...)`.
        actions: int64 `(T - 1,)`, of the steps.
        rewards: `(T - 1,)`, of the steps.
        ends: bool `(T - 1,)`: whether the step ended the episode.
        length: L, frames per window.

    Returns:
        The N windows in the order of their first frames; they overlap. N may be 0. Frames keep their dtype, actions are
        int64, rewards and `continues` float32: 0 where the episode ends with that frame, else 1.

    Raises:
        ValueError: `length` is below 2 or above T.
    """
    num_frames = len(frames)
    if not 2 <= length <= num_frames:
        raise ValueError(f"a window has 2 to {num_frames} frames, got {length=}")
    is_last = torch.cat([ends.new_zeros(1), ends])  # (T,), of frames
    crosses = is_last[:-1].unfold(0, length - 1, 1).any(dim=1)  # (T - L + 1,): a last frame before the window's own
    rows = (~crosses).nonzero() + torch.arange(length, device=frames.device)  # (N, L)
    before = rows[:, :-1]  # the steps inside each window
    first = torch.zeros(len(rows), 1, device=frames.device)
    return Windows(
        frames[rows],
        torch.cat([first.long(), actions[before]], dim=1),
        torch.cat([first, rewards[before].float()], dim=1),
        torch.cat([1 - first, 1 - ends[before].float()], dim=1),
    )


def outcomes(paintings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rewards and ends of a play of `catch`, as its frames show them: a green paddle is +1, a red ball is -1.

    Args:
        paintings: numbers of the palette, `(T, 32, 32)`.

    Returns:
        Rewards float32 and ends bool, `(T - 1,)` each: of the step into frame 1, 2, ….
    """
    caught = (paintings[1:, PADDLE_ROW] == GREEN).any(axis=1)
    missed = (paintings[1:, LAST_ROW] == RED).any(axis=1)
    return caught.astype(np.float32) - missed, caught | missed


class CatchEpisodes:
    """Whole episodes of `catch`, one ball each, pressed by random keys: all that the dream of the course has seen.

    Args:
        num_frames: recorded, in plays of 500.
        split: `train` or `test`.
        first: the number of the first play.
        shuffled: whether each episode has the actions of another one.
        cut: makes the windows; `episode_windows` if None.
    """

    def __init__(self, num_frames: int = 20_000, split: str = "train", *, first: int = 0, shuffled: bool = False,
                 cut: Any = None):  # fmt: skip
        game = Catch(split)
        plays = record(game, RandomKeys(len(game.actions)), -(-num_frames // 500), 500, first=first, progress=False)
        parts = []
        for frames, actions in zip(plays.frames, plays.actions):
            rewards, ends = (torch.from_numpy(x) for x in outcomes(frames))
            tensors = torch.from_numpy(frames), torch.from_numpy(actions.astype(np.int64))
            parts.append((cut or episode_windows)(*tensors, rewards, ends, EPISODE))
        self.windows = Windows(*(torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Windows)))
        if shuffled:
            order = torch.randperm(len(self.windows), generator=torch.Generator().manual_seed(0))
            self.windows = Windows(self.windows.frames, self.windows.actions[order], self.windows.rewards,
                                   self.windows.continues)  # fmt: skip
        self.key = f"{plays.key}-episodes{'-shuffled' * shuffled}"

    def batch(self, indices) -> Windows:
        """Episodes by number; every pass over them has an order of its own."""
        rows, count = [], len(self.windows)
        for index in indices:
            order = torch.randperm(count, generator=torch.Generator().manual_seed(int(index) // count))
            rows.append(order[int(index) % count])
        return self.windows[torch.stack(rows)]
