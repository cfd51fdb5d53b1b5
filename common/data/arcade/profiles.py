"""Frames of `catch` as two profiles, the sums of their columns and of their rows: what a small world model looks at.

A ball of four pixels is next to nothing in the squared error of a picture, and a small network does not find it in
minutes. In a profile it is a bump among 32 numbers. A frame of `catch` can be told from its two profiles, so nothing is
lost: `read_profiles` finds the frame of the game whose profiles are nearest, and `draw_seen` draws it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from einops import rearrange

from common.data.arcade.catch import (
    AIR,
    BALL,
    CYAN,
    FIRST_ROW,
    GREEN,
    GROUND,
    LAST_ROW,
    PADDLE_HEIGHT,
    PADDLE_ROW,
    PADDLE_WIDTH,
    PALETTE,
    RED,
    SIZE,
    WHITE,
)
from common.tensor_ops import from_uint8

NUM_PROFILES = 6 * SIZE  # three colours, columns and rows
ENDED = (0, 1, -1)


@dataclass(frozen=True)
class Seen:
    """What is in a frame.

    Attributes:
        ball: x and y of its upper left corner.
        paddle: x of its left end; even, as always in this game.
        ended: 1 for a ball that is caught, -1 for one that is missed, 0 on its way.
    """

    ball: tuple[int, int]
    paddle: int
    ended: int = 0


def draw_seen(seen: Sequence[Seen | None]) -> torch.Tensor:
    """A clip `(3, T, 32, 32)` in [-1, 1], as the game draws these; None is a frame with nothing in it."""
    frames = np.full((len(seen), SIZE, SIZE), AIR, dtype=np.uint8)
    frames[:, PADDLE_ROW + PADDLE_HEIGHT :] = GROUND
    for frame, one in zip(frames, seen):
        if one is not None:
            x, y = one.ball
            frame[y : y + BALL, x : x + BALL] = RED if one.ended < 0 else WHITE
            rows = slice(PADDLE_ROW, PADDLE_ROW + PADDLE_HEIGHT)
            frame[rows, one.paddle : one.paddle + PADDLE_WIDTH] = GREEN if one.ended > 0 else CYAN
    return from_uint8(rearrange(torch.from_numpy(np.take(PALETTE, frames, axis=0)), "t h w c -> c t h w"))


def profiles(clips: torch.Tensor) -> torch.Tensor:
    """Half the column sums and the row sums of frames, less those of the empty game.

    Args:
        clips: `(B, 3, T, 32, 32)` in [-1, 1].

    Returns:
        `(B, T, 192)`: red, green and blue columns, then red, green and blue rows.
    """
    shown = 0.5 * (clips - draw_seen([None]).to(clips))
    sums = torch.stack([shown.sum(dim=3), shown.sum(dim=4)], dim=1)  # (B, 2, 3, T, 32)
    return rearrange(sums, "b kind c t n -> b t (kind c n)")


@cache
def _templates() -> tuple:
    """For each way to end: (x, paddle) of every column profile, y of every row profile, and both kinds `(N, 96)`."""
    found = []
    for ended in ENDED:
        places = [(x, paddle) for x in range(SIZE - BALL + 1) for paddle in range(0, SIZE - PADDLE_WIDTH + 1, 2)]
        heights = [LAST_ROW] if ended else list(range(FIRST_ROW, LAST_ROW))
        columns = profiles(draw_seen([Seen((x, 10), paddle, ended) for x, paddle in places])[None])[0, :, : 3 * SIZE]
        rows = profiles(draw_seen([Seen((0, y), 0, ended) for y in heights])[None])[0, :, 3 * SIZE :]
        found.append((places, heights, columns, rows))
    return tuple(found)


def read_profiles(found: torch.Tensor) -> list[Seen]:
    """The states of the game whose profiles are nearest, by squared distance.

    Args:
        found: `(T, 192)`.
    """
    best, read = torch.full((len(found),), torch.inf), [Seen((0, 0), 0)] * len(found)
    for ended, (places, heights, columns, rows) in zip(ENDED, _templates()):
        column, place = torch.cdist(found[:, : 3 * SIZE].float(), columns).square().min(dim=1)
        row, height = torch.cdist(found[:, 3 * SIZE :].float(), rows).square().min(dim=1)
        for t in ((column + row) < best).nonzero()[:, 0].tolist():
            x, paddle = places[int(place[t])]
            best[t], read[t] = column[t] + row[t], Seen((x, heights[int(height[t])]), paddle, ended)
    return read
