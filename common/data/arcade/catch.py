"""`catch`, 32x32 pixels: a ball falls, a paddle should be below it.

The rules, in the order of a step:

- The paddle moves 2 pixels to the left or right if a key says so; the picture's edges stop it.
- The ball goes 1 pixel down and its drift (-1, 0 or 1) to the side; the edges turn the drift round. In the row above
  the paddle it ends: over the paddle it is caught (the paddle turns green), else missed (the ball turns red).
- In the step after that a new ball is at the top, with a random place and drift.

One frame shows everything but the drift, and two frames show this too.
"""

from dataclasses import dataclass

import numpy as np

from common.data.arcade.dice import Dice, scrambled
from common.data.arcade.game import check_action, split_number

SIZE = 32
ACTIONS = ("stay", "left", "right")
MOVES = (0, -2, 2)  # pixels per frame, by action
BALL, PADDLE_WIDTH, PADDLE_HEIGHT = 2, 6, 2  # pixels
FIRST_ROW, PADDLE_ROW = 1, 28
LAST_ROW = PADDLE_ROW - BALL  # where a ball ends
EVENTS = ("catch", "miss")
REWARDS = {"catch": 1.0, "miss": -1.0}
HELD_OUT = 8  # about one in so many serves, place and drift together, is seen in the test split alone
AIR, GROUND, WHITE, CYAN, GREEN, RED = range(6)
PALETTE = np.array(
    [(22, 24, 52), (84, 88, 120), (255, 248, 200), (90, 200, 255), (112, 224, 84), (255, 72, 88)], dtype=np.uint8
)


@dataclass(frozen=True)
class CatchState:
    """All that there is.

    Attributes:
        ball_x, ball_y: the ball's upper left corner, pixels.
        drift: of the ball, pixels per frame to the right.
        paddle: x of the paddle's left end, pixels.
        dice: the memory of the random numbers to come.
    """

    ball_x: int
    ball_y: int
    drift: int
    paddle: int
    dice: int = 0

    @property
    def caught(self) -> bool:
        """Whether the ball is right above the paddle."""
        return self.ball_y == LAST_ROW and self.paddle - BALL < self.ball_x < self.paddle + PADDLE_WIDTH

    @property
    def missed(self) -> bool:
        """Whether the ball is as low as it gets, beside the paddle."""
        return self.ball_y == LAST_ROW and not self.caught


def is_held_out(ball_x: int, drift: int) -> bool:
    """Whether this serve belongs to the test split."""
    return scrambled(3 * ball_x + drift + 1) % HELD_OUT == 0


class Catch:
    """The ball game. See the module for its rules.

    Args:
        split: `train` or `test`: the two have different serves.
    """

    name, actions, palette = "catch", ACTIONS, PALETTE

    def __init__(self, split: str = "train"):
        self.split = split_number(split)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """A serve and a place of the paddle of this number's own."""
        self._dice = Dice(seed, self.split)
        self._state = self._serve(2 * self._dice.below((SIZE - PADDLE_WIDTH) // 2 + 1))

    def state(self) -> CatchState:
        """Everything, as it is now."""
        return self._state

    def set_state(self, state: CatchState) -> None:
        """Go on from there.

        Raises:
            ValueError: the ball or the paddle is outside the picture.
        """
        if not (0 <= state.ball_x <= SIZE - BALL and 0 <= state.ball_y <= LAST_ROW
                and 0 <= state.paddle <= SIZE - PADDLE_WIDTH):  # fmt: skip
            raise ValueError(f"something is outside the picture: {state}")
        self._state, self._dice.state = state, state.dice

    def step(self, action: int) -> tuple[str, ...]:
        """One frame. Returns `("catch",)` or `("miss",)` in the frame in which a ball ends."""
        check_action(self, action)
        now = self._state
        paddle = min(max(now.paddle + MOVES[action], 0), SIZE - PADDLE_WIDTH)
        if now.ball_y >= LAST_ROW:
            self._state = self._serve(paddle)
            return ()
        x, drift = now.ball_x + now.drift, now.drift
        if not 0 <= x <= SIZE - BALL:
            x, drift = now.ball_x - now.drift, -now.drift
        self._state = CatchState(x, now.ball_y + 1, drift, paddle, now.dice)
        return ("catch",) if self._state.caught else ("miss",) if self._state.missed else ()

    def painting(self) -> np.ndarray:
        """What is seen now, as numbers of `palette`: uint8 `(32, 32)`."""
        now = self._state
        painting = np.full((SIZE, SIZE), AIR, dtype=np.uint8)
        painting[PADDLE_ROW + PADDLE_HEIGHT :] = GROUND
        painting[now.ball_y : now.ball_y + BALL, now.ball_x : now.ball_x + BALL] = RED if now.missed else WHITE
        paddle = slice(now.paddle, now.paddle + PADDLE_WIDTH)
        painting[PADDLE_ROW : PADDLE_ROW + PADDLE_HEIGHT, paddle] = GREEN if now.caught else CYAN
        return painting

    def frame(self) -> np.ndarray:
        """What is seen now: uint8 `(32, 32, 3)`."""
        return np.take(PALETTE, self.painting(), axis=0)

    def _serve(self, paddle: int) -> CatchState:
        while True:
            x, drift = self._dice.below(SIZE - BALL + 1), self._dice.below(3) - 1
            if is_held_out(x, drift) == bool(self.split):
                return CatchState(x, FIRST_ROW, drift, paddle, self._dice.state)


class CatchScript:
    """The best player: under the place where the ball will end."""

    def reset(self, seed: int) -> None:
        """There is nothing to forget."""

    def __call__(self, state: CatchState) -> int:
        """The action for this state."""
        span = SIZE - BALL
        x = (state.ball_x + state.drift * (LAST_ROW - state.ball_y)) % (2 * span)
        middle = min(x, 2 * span - x) + BALL // 2
        off = middle - (state.paddle + PADDLE_WIDTH // 2)
        return 0 if abs(off) < 2 else 1 if off < 0 else 2
