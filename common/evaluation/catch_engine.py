"""The engine of `catch` in place of a world model: frames in, the true next frame out. The ceiling of every score."""

import numpy as np
import torch

from common.data.arcade import Catch, Recording
from common.data.arcade.catch import LAST_ROW, PADDLE_WIDTH, SIZE
from common.evaluation.arcade_reader import read_catch, read_catch_state
from common.tensor_ops import from_uint8

ROOM = 2  # pixels that the paddle moves: nearer to an edge two keys do the same


def catch_engine(eps: torch.Tensor, past: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    """The true next frames, from the states that are read in the past. A serve is one of many that may come.

    Args:
        eps: not used: an engine needs no noise.
        past: `(N, 3, K, 32, 32)` in [-1, 1], K at least 2.
        actions: int64 `(N, K)`; the last one is pressed.

    Returns:
        `(N, 3, 32, 32)` in [-1, 1].

    Raises:
        ValueError: a past does not show one ball and one paddle.
    """
    game, frames = Catch(), []
    for clip, action in zip(past[:, :, -2:], actions[:, -1].tolist()):
        before, now = read_catch(clip)
        state = read_catch_state(now, before)
        if state is None:
            raise ValueError("there is no ball or no paddle in the last frame of a past")
        game.set_state(state)
        game.step(action)
        frames.append(game.frame())
    frames = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)  # (N, 3, 32, 32)
    return from_uint8(frames).to(past.device)


def free_windows(plays: Recording, length: int, count: int) -> list[tuple[int, int]]:
    """Places of windows, spread evenly over plays, after which every key has an effect of its own.

    The paddle is not at an edge in the last frame of the window's past, and the ball is on its way.

    Args:
        plays: of `catch`.
        length: frames in a window; its last one is the frame after the past.
        count: windows.

    Returns:
        Pairs of a play's number and the window's first frame, as `Recording.windows` takes them.

    Raises:
        ValueError: there are not so many.
    """
    found = []
    num_plays, num_frames = plays.frames.shape[:2]
    for first in range(1, num_frames - length, 7):
        clips = plays.windows([(number, first) for number in range(num_plays)], length).clips()
        for number, (before, now) in enumerate(read_catch(clip[:, -3:-1]) for clip in clips):
            if before.ball is None or now.ball is None or now.paddle is None:
                continue
            falls = now.ball[1] == before.ball[1] + 1 and now.ball[1] < LAST_ROW - 1
            if falls and ROOM <= now.paddle <= SIZE - PADDLE_WIDTH - ROOM:
                found.append((number, first))
        if len(found) >= count:
            return found[:count]
    raise ValueError(f"there are {len(found)} such windows, not {count}")
