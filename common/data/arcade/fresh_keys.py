"""A player who presses a new random key in every frame, whatever happens: what the keys tell is then known exactly."""

from collections.abc import Sequence
from typing import Any

from common.data.arcade.dice import Dice
from common.data.arcade.recording import Recording, record
from common.data.arcade.rooms import Rooms

# How often each key of `rooms` is pressed, of 40: in the air a jump is not seen, so jumps are rare.
ROOMS_KEYS = (8, 14, 14, 2, 1, 1)
PLAY = 64  # frames of a play


class FreshKeys:
    """Draws a key anew in every frame. It does not look at the game, so a key says nothing about what was before it.

    Args:
        weights: how often each action comes, as whole numbers in proportion.
    """

    def __init__(self, weights: Sequence[int] = ROOMS_KEYS):
        self.keys = [action for action, count in enumerate(weights) for _ in range(count)]
        self.probabilities = tuple(count / len(self.keys) for count in weights)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin again."""
        self._dice = Dice(seed, 6)

    def __call__(self, state: Any) -> int:
        """The action, whatever the state."""
        return self._dice.choice(self.keys)


def fresh_recording(
    num_frames: int, split: str = "train", *, with_slime: bool, first: int = 0, window: int = 3
) -> Recording:
    """Plays of `rooms` with fresh keys, 64 frames each, so that there are many rooms.

    Args:
        num_frames: in all, rounded up to whole plays.
        split: `train` or `test`.
        with_slime: whether there are slimes.
        first: the number of the first play.
        window: frames in a window of `Recording.batch`.
    """
    game = Rooms(split, with_slime=with_slime)
    return record(game, FreshKeys(), -(-num_frames // PLAY), PLAY, first=first, window=window)
