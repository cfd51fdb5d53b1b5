"""New rooms: random bricks, kept if every place that can be reached can be left again; then door, key, coins, slime."""

from dataclasses import dataclass

from common.data.arcade.dice import Dice, scrambled
from common.data.arcade.room_graph import brick_mask, reachable, steps_between_places
from common.data.arcade.tiles import BRICK, COIN, COLUMNS, DOOR, EMPTY, KEY, ROWS

FLOOR = (ROWS - 1) * COLUMNS
FEWEST_PLACES, FEWEST_HIGH = 10, 2  # to stand in; of them on a platform
HELD_OUT = 8  # one in so many arrangements of bricks is seen in the test split alone
MOST_COINS = 3
SHORTEST_WALK, CLEAR = 3, 2  # tiles that a slime needs; from the player to the slime at first


@dataclass(frozen=True)
class Room:
    """A room as it is when it is entered.

    Attributes:
        tiles: the picture's 64 tiles, row by row; those of the HUD's row are empty.
        start: the number of the tile that the player stands in.
        slime: the number of the tile that the slime sits in, or None.
        slime_right: whether it goes to the right.
    """

    tiles: bytes
    start: int
    slime: int | None
    slime_right: bool


def is_held_out(tiles: bytes) -> bool:
    """Whether a room with these bricks belongs to the test split."""
    return scrambled(brick_mask(tiles)) % HELD_OUT == 0


def draw_room(dice: Dice, split: int) -> Room:
    """A new room of the train split (0) or of the test split (1)."""
    while True:
        tiles = _draw_bricks(dice)
        if is_held_out(tiles) != bool(split):
            continue
        mask = brick_mask(tiles)
        places = reachable(mask, dice.choice(list(steps_between_places(mask))))
        if len(places) >= FEWEST_PLACES and sum(place < FLOOR - COLUMNS for place in places) >= FEWEST_HIGH:
            return _furnish(dice, tiles, sorted(places))


def _draw_bricks(dice: Dice) -> bytearray:
    tiles = bytearray(ROWS * COLUMNS)
    tiles[FLOOR:] = bytes([BRICK]) * COLUMNS
    for row, most in ((5, 2), (3, 2)):  # platforms
        for _ in range(1 + dice.below(most)):
            length = 2 + dice.below(3)
            first = row * COLUMNS + dice.below(COLUMNS + 1 - length)
            tiles[first : first + length] = bytes([BRICK]) * length
    for row, count in ((6, dice.below(3)), (4, dice.below(2)), (2, dice.below(2))):  # steps and lumps
        for _ in range(count):
            tiles[row * COLUMNS + dice.below(COLUMNS)] = BRICK
    return tiles


def _furnish(dice: Dice, tiles: bytearray, places: list[int]) -> Room:
    start, door, key, *coins = dice.sample(places, 4 + dice.below(MOST_COINS))
    tiles[door], tiles[key] = DOOR, KEY
    for coin in coins:
        tiles[coin] = COIN
    free = [place for walk in _walks(tiles, places) for place in walk if abs(place - start) >= CLEAR]
    slime = dice.choice(free) if free and not dice.one_in(4) else None
    return Room(bytes(tiles), start, slime, bool(dice.below(2)))


def _walks(tiles: bytearray, places: list[int]) -> list[list[int]]:
    """Rows of empty places side by side, long enough for a slime."""
    walks, walk = [], []
    for place in places:
        if tiles[place] != EMPTY:
            continue
        if not walk or place != walk[-1] + 1 or place % COLUMNS == 0:
            walk = []
            walks.append(walk)
        walk.append(place)
    return [walk for walk in walks if len(walk) >= SHORTEST_WALK]
