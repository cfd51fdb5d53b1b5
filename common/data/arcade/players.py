"""Players that need no person: random keys, and a mix of two players. Data of one kind alone leaves holes.

A script sees every event and walks into no wall; random keys walk into every wall and find no key.
"""

from typing import Any

from common.data.arcade.dice import Dice
from common.data.arcade.game import Player

SHORTEST_HOLD, HOLDS = 3, 10  # frames: a random key is held for 3 to 12 of them


class RandomKeys:
    """A random action, held for a while, then another one. It does not look at the game.

    Args:
        num_actions: of the game.
    """

    def __init__(self, num_actions: int):
        self.num_actions = num_actions
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin again."""
        self._dice, self._left, self._action = Dice(seed, 1), 0, 0

    def __call__(self, state: Any) -> int:
        """The action, whatever the state."""
        if self._left == 0:
            self._left = SHORTEST_HOLD + self._dice.below(HOLDS)
            self._action = self._dice.below(self.num_actions)
        self._left -= 1
        return self._action


class Mixed:
    """Now one player, now the other, for stretches of random length.

    Args:
        first: plays for 30 to 119 frames at a time. It is reset if it has a `reset`.
        second: plays for 15 to 59 frames at a time; likewise.
    """

    def __init__(self, first: Player, second: Player):
        self.players = (first, second)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin again."""
        self._dice, self._left, self._turn = Dice(seed, 2), 0, seed % 2
        for player in self.players:
            if hasattr(player, "reset"):
                player.reset(seed)

    def __call__(self, state: Any) -> int:
        """The action of the one whose turn it is."""
        if self._left == 0:
            self._turn = 1 - self._turn
            self._left = 15 + self._dice.below(45) if self._turn else 30 + self._dice.below(90)
        self._left -= 1
        return self.players[self._turn](state)
