"""The engine of `rooms` in place of a world model: frames in, the true next frame out. The ceiling of every score."""

import numpy as np
import torch

from common.data.arcade import Rooms
from common.evaluation.arcade_reader import read_rooms, read_state
from common.tensor_ops import from_uint8


def rooms_engine(past: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    """The true next frames, from the states that are read in the past. A new room is one of many that may come.

    Args:
        past: `(N, 3, K, 64, 64)` in [-1, 1], K at least 2.
        actions: int64 `(N, K)`; the last one is pressed.

    Returns:
        `(N, 3, 64, 64)` in [-1, 1].

    Raises:
        ValueError: a past shows no player in its last frame.
    """
    game, frames = Rooms("test"), []
    for clip, action in zip(past[:, :, -2:], actions[:, -1].tolist()):
        before, now = read_rooms(clip)
        state = read_state(now, before)
        if state is None:
            raise ValueError("there is no player in the last frame of a past")
        game.set_state(state)
        game.step(action)
        frames.append(game.frame())
    return from_uint8(torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)).to(past.device)
