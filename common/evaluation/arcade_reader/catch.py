"""The reader of `catch`: ball and paddle by template matching over the empty picture."""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange

from common.data.arcade import CatchState
from common.data.arcade.catch import (
    AIR,
    BALL,
    CYAN,
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
from common.evaluation.arcade_reader.matching import Template, colors, find, hidden_by

PRESENT, ALIKE = 0.5, 0.5  # least opacity and likeness
FIELD = np.full((SIZE, SIZE), AIR, dtype=np.uint8)
FIELD[PADDLE_ROW + PADDLE_HEIGHT :] = GROUND
BACKGROUND = colors(FIELD, PALETTE)


def _block(color: int, height: int, width: int) -> Template:
    painting = np.full((height, width), color, dtype=np.uint8)
    return Template(colors(painting, PALETTE), torch.ones(height, width, dtype=torch.bool))


BALLS = [_block(color, BALL, BALL) for color in (WHITE, RED)]
PADDLES = [_block(color, PADDLE_HEIGHT, PADDLE_WIDTH) for color in (CYAN, GREEN)]
BALL_PLACES = torch.zeros(SIZE - BALL + 1, SIZE - BALL + 1, dtype=torch.bool)
BALL_PLACES[: LAST_ROW + 1] = True
PADDLE_PLACES = torch.zeros(SIZE - PADDLE_HEIGHT + 1, SIZE - PADDLE_WIDTH + 1, dtype=torch.bool)
PADDLE_PLACES[PADDLE_ROW] = True


@dataclass(frozen=True)
class CatchReading:
    """What one frame shows.

    Attributes:
        ball: x and y of the ball, or None.
        paddle: x of the paddle, or None.
        num_balls: how many are seen, 2 for more.
    """

    ball: tuple[int, int] | None
    paddle: int | None
    num_balls: int


def read_catch(clip: torch.Tensor) -> list[CatchReading]:
    """What each frame shows.

    Args:
        clip: `(3, T, 32, 32)` in [-1, 1].

    Raises:
        ValueError: the shape is another one.
    """
    if clip.ndim != 4 or clip.shape[0] != 3 or tuple(clip.shape[2:]) != (SIZE, SIZE):
        raise ValueError(f"a clip is (3, T, {SIZE}, {SIZE}), got {tuple(clip.shape)}")
    frames = rearrange(clip.detach().to("cpu", torch.float32), "c t h w -> t c h w").nan_to_num().clamp(-1.5, 1.5)
    background = BACKGROUND.expand_as(frames)
    visible = torch.ones_like(frames[:, :1])
    paddle, has_paddle, _ = _find_any(frames, background, visible, PADDLES, PADDLE_PLACES)
    ball, has_ball, hidden = _find_any(frames, background, visible, BALLS, BALL_PLACES)
    visible = visible * ~(hidden & has_ball[:, None, None, None])
    second = _find_any(frames, background, visible, BALLS, BALL_PLACES)[1] & has_ball
    return [
        CatchReading(
            ball=(int(ball.x[k]), int(ball.y[k])) if has_ball[k] else None,
            paddle=int(paddle.x[k]) if has_paddle[k] else None,
            num_balls=int(has_ball[k]) + int(second[k]),
        )
        for k in range(len(frames))
    ]


def read_catch_state(now: CatchReading, before: CatchReading | None = None) -> CatchState | None:
    """The state that the engine can be set to: None unless ball and paddle are seen.

    Args:
        now: of the frame in question.
        before: of the frame before it; without it, or if the ball is a new one, the drift is taken to be 0.
    """
    if now.ball is None or now.paddle is None:
        return None
    drift = 0
    if before and before.ball and now.ball[1] == before.ball[1] + 1:
        drift = min(max(now.ball[0] - before.ball[0], -1), 1)
    return CatchState(*now.ball, drift, now.paddle)


def _find_any(frames, background, visible, templates, places):
    """The best match of each frame among templates of one size; whether it is there; the pixels it covers."""
    matches = [find(frames, background, visible, template, places) for template in templates]
    better = matches[1].likeness * matches[1].seen > matches[0].likeness * matches[0].seen
    match = type(matches[0])(*(torch.where(better, b, a) for a, b in zip(*(vars(m).values() for m in matches))))
    present = (match.opacity > PRESENT) & (match.likeness > ALIKE) & (match.seen > 0.5)
    return match, present, hidden_by(match, templates[0], SIZE, SIZE)
