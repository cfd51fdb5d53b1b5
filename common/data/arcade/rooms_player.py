"""The scripted player of `rooms`: to the nearest coin or key, then through the door, for ever.

It decides from the state alone, so it plays from a state that was read in a dream as well.
"""

from functools import lru_cache

from common.data.arcade.dice import Dice
from common.data.arcade.room_graph import brick_mask, distances, steps_between_places
from common.data.arcade.rooms import ACTIONS, RoomsState
from common.data.arcade.tiles import BRICK, COIN, COLUMNS, DOOR, KEY, PLAYER_HEIGHT, PLAYER_WIDTH, TILE

STAY, LEFT, RIGHT, JUMP_UP = range(4)
SLACK = TILE - PLAYER_WIDTH  # pixels that a player inside one column can move in it
PATIENCE = 60  # frames without a new goal or place, after which it tries random keys for as long as LAPSE
LAPSE = 12


@lru_cache(maxsize=4096)
def _way(tiles: bytes, has_key: bool) -> tuple[dict[int, int], dict[int, tuple[int, ...]]]:
    """Steps from each place to the nearest thing wanted, and the steps that there are."""
    wanted = (COIN, DOOR) if has_key else (COIN, KEY)
    mask = brick_mask(bytes(COLUMNS) + tiles)
    goals = [place for place, tile in enumerate(tiles, start=COLUMNS) if tile in wanted]
    return distances(mask, goals), steps_between_places(mask)


class RoomsScript:
    """Goes for the nearest coin, key or (with the key) door."""

    def __init__(self):
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin again; the seed is for the moments in which it does not know how to go on."""
        self._dice, self._target, self._place, self._waited = Dice(seed, 3), None, None, 0

    def __call__(self, state: RoomsState) -> int:
        """The action for this state."""
        place = standing_place(state)
        seen = (place, state.has_key, state.coins)
        self._waited = self._waited + 1 if place is None or seen == self._place else 0
        self._place = self._place if place is None else seen
        if self._waited > PATIENCE:
            self._waited = self._waited if self._waited < PATIENCE + LAPSE else 0
            return self._dice.below(len(ACTIONS))
        if place is None:
            return STAY if self._target is None else self._steer(state)
        left, steps = _way(state.tiles, state.has_key)
        landings = [landing for landing in steps.get(place, ()) if landing in left]
        if place in left and left[place] == 0:
            self._target = place
            return _towards(place % COLUMNS, state.x)
        if not landings:
            self._target = None
            return self._dice.below(len(ACTIONS))
        self._target = min(landings, key=left.get)
        if self._target // COLUMNS < place // COLUMNS:
            return _towards(place % COLUMNS, state.x) or JUMP_UP
        return _towards(self._target % COLUMNS, state.x)

    def _steer(self, state: RoomsState) -> int:
        """In the air: above the target's floor, go over it."""
        row, column = divmod(self._target, COLUMNS)
        high_enough = state.y + PLAYER_HEIGHT <= (row + 1) * TILE
        return _towards(column, state.x) if high_enough else STAY


def standing_place(state: RoomsState) -> int | None:
    """The tile under the player, or None in the air; of two, the one with the player's middle, if it bears."""
    below = (state.y + PLAYER_HEIGHT) // TILE
    if (state.y + PLAYER_HEIGHT) % TILE or state.velocity < 0:
        return None
    for x in (state.x + PLAYER_WIDTH // 2, state.x, state.x + PLAYER_WIDTH - 1):
        place = below * COLUMNS + x // TILE
        if place - COLUMNS >= len(state.tiles) or state.tiles[place - COLUMNS] == BRICK:
            return place - COLUMNS
    return None


def _towards(column: int, x: int) -> int:
    """The key that brings a player at x into a column; STAY if they are in it."""
    return LEFT if x > column * TILE + SLACK else RIGHT if x < column * TILE else STAY
