"""`rooms`, a platformer of 64x64 pixels: find the key, open the door, stand in a room that no one can foretell.

The rules, in the order of a step:

- A player who stands may jump, with velocity -6; otherwise gravity adds 1 to the velocity, up to 6 pixels per frame.
- The player moves 2 pixels to the left or right if a key says so, then up or down by the velocity; bricks, the HUD and
  the picture's edges stop both. A velocity that meets something solid is 0.
- Coins and keys whose tiles the player touches go to the HUD. The eighth coin empties the row.
- A player whose middle is in the door's tile and who has the key is in a new room, standing, without the key.
- The slime crawls 1 pixel along empty tiles with bricks below. It turns at their ends, and at random once in 24 frames.
- A player who touches the slime is thrown up: the velocity is -5.

One frame shows everything but velocities, and two frames show these too, so a model that sees a few frames has seen the
state. Two things are random: the next room, and the slime.
"""

from dataclasses import dataclass

import numpy as np

from common.data.arcade.dice import Dice
from common.data.arcade.game import check_action, split_number
from common.data.arcade.room_maker import draw_room
from common.data.arcade.tiles import (
    BRICK,
    COIN,
    COIN_PLACES,
    COLUMNS,
    DOOR,
    EMPTY,
    HAS_COIN,
    HAS_KEY,
    HEIGHT,
    KEY,
    NO_COIN,
    NO_KEY,
    PALETTE,
    PLAYER_HEIGHT,
    PLAYER_MASK,
    PLAYER_PAINTING,
    PLAYER_WIDTH,
    ROWS,
    SLIME_HEIGHT,
    SLIME_MASK,
    SLIME_PAINTING,
    SLIME_WIDTH,
    TILE,
    TILES,
    WIDTH,
)

ACTIONS = ("stay", "left", "right", "jump", "jump left", "jump right")
WALK = (0, -2, 2, 0, -2, 2)  # pixels per frame, by action
FIRST_JUMP = 3  # actions from here on jump
JUMP, BOUNCE, FASTEST = -6, -5, 6  # pixels per frame, down is positive
TURNS = 24  # a slime turns at random once in so many frames
EVENTS = ("coin", "bag", "key", "door", "locked", "bounce", "bump", "turn")
SOLID = (bytes([BRICK]) * COLUMNS, bytes([BRICK]) * COLUMNS)  # the HUD, and what is below the picture


@dataclass(frozen=True)
class RoomsState:
    """All that there is in a room.

    Attributes:
        tiles: 56 tiles, the picture's rows 1 to 7 from left to right, as numbered in `tiles`.
        x, y: the player's upper left corner, in pixels of the picture.
        velocity: the player's, in pixels per frame; down is positive.
        has_key: whether the key is carried.
        coins: in the HUD, 0 to 7.
        slime: x, y and direction (-1 or 1) of the slime, or None.
        dice: the memory of the random numbers to come.
    """

    tiles: bytes
    x: int
    y: int
    velocity: int = 0
    has_key: bool = False
    coins: int = 0
    slime: tuple[int, int, int] | None = None
    dice: int = 0

    @property
    def grid(self) -> np.ndarray:
        """The tiles as uint8 `(7, 8)`."""
        return np.frombuffer(self.tiles, dtype=np.uint8).reshape(ROWS - 1, COLUMNS)


class Rooms:
    """The platformer. See the module for its rules.

    Args:
        split: `train` or `test`: rooms of the test split have arrangements of bricks that `train` never shows.
        with_slime: whether a slime is in three of four rooms, or in none.
    """

    name, actions, palette = "rooms", ACTIONS, PALETTE

    def __init__(self, split: str = "train", *, with_slime: bool = True):
        self.split, self.with_slime = split_number(split), with_slime
        self.reset(0)

    def reset(self, seed: int) -> None:
        """A room of this number's own, and an empty HUD."""
        self._dice = Dice(seed, self.split)
        self._has_key, self._coins = False, 0
        self._enter()

    def state(self) -> RoomsState:
        """Everything, as it is now."""
        slime = None if self._slime is None else tuple(self._slime)
        tiles = bytes(self._tiles[COLUMNS:-COLUMNS])
        return RoomsState(
            tiles, self._x, self._y, self._velocity, self._has_key, self._coins, slime, self._dice.state
        )  # fmt: skip

    def set_state(self, state: RoomsState) -> None:
        """Go on from there.

        Raises:
            ValueError: it has not 56 tiles of those there are, or the player or the slime is outside the room.
        """
        if len(state.tiles) != (ROWS - 1) * COLUMNS or max(state.tiles) > BRICK:
            raise ValueError(f"tiles are 56 numbers from 0 to {BRICK}, got {list(state.tiles)}")
        if not _is_inside(state.x, state.y, PLAYER_WIDTH, PLAYER_HEIGHT):
            raise ValueError(f"the player is not in the room at {state.x}, {state.y}")
        if state.slime and not _is_inside(*state.slime[:2], SLIME_WIDTH, SLIME_HEIGHT):
            raise ValueError(f"the slime is not in the room at {state.slime[:2]}")
        if not 0 <= state.coins <= COIN_PLACES:
            raise ValueError(f"the HUD has room for 0 to {COIN_PLACES} coins, got {state.coins}")
        self._tiles = bytearray(SOLID[0] + state.tiles + SOLID[1])
        self._x, self._y, self._velocity = state.x, state.y, state.velocity
        self._has_key, self._coins = state.has_key, state.coins
        self._slime = list(state.slime) if state.slime else None
        self._dice.state = state.dice
        self._paint()

    def step(self, action: int) -> tuple[str, ...]:
        """One frame. Returns those of `EVENTS` that happened."""
        check_action(self, action)
        events = []
        self._move(action, events)
        self._collect(events)
        door = self._tiles[(self._y + 3 >> 3) * COLUMNS + (self._x + 3 >> 3)] == DOOR
        if door and self._has_key:
            self._has_key = False
            self._enter()
            return (*events, "door")
        if door:
            events.append("locked")
        if self._slime is not None:
            self._crawl(events)
            left, top, _ = self._slime
            if (left - PLAYER_WIDTH < self._x < left + SLIME_WIDTH
                    and top - PLAYER_HEIGHT < self._y < top + SLIME_HEIGHT):  # fmt: skip
                self._velocity = BOUNCE
                events.append("bounce")
        return tuple(events)

    def painting(self) -> np.ndarray:
        """What is seen now, as numbers of `palette`: uint8 `(64, 64)`."""
        painting = self._room.copy()
        if self._slime is not None:
            x, y, _ = self._slime
            np.copyto(painting[y : y + SLIME_HEIGHT, x : x + SLIME_WIDTH], SLIME_PAINTING, where=SLIME_MASK)
        x, y = self._x, self._y
        np.copyto(painting[y : y + PLAYER_HEIGHT, x : x + PLAYER_WIDTH], PLAYER_PAINTING, where=PLAYER_MASK)
        return painting

    def frame(self) -> np.ndarray:
        """What is seen now: uint8 `(64, 64, 3)`."""
        return np.take(PALETTE, self.painting(), axis=0)

    def _move(self, action: int, events: list[str]) -> None:
        tiles, x, y = self._tiles, self._x, self._y
        standing = self._velocity >= 0 and self._solid_at(x, y + PLAYER_HEIGHT)
        velocity = JUMP if action >= FIRST_JUMP and standing else min(self._velocity + 1, FASTEST)
        walk = WALK[action]
        if walk:
            x = min(max(x + walk, 0), WIDTH - PLAYER_WIDTH)
            column = (x if walk < 0 else x + PLAYER_WIDTH - 1) >> 3
            if max(tiles[(y >> 3) * COLUMNS + column], tiles[(y + PLAYER_HEIGHT - 1 >> 3) * COLUMNS + column]) >= BRICK:
                x = (column + 1) * TILE if walk < 0 else column * TILE - PLAYER_WIDTH
                x = min(max(x, 0), WIDTH - PLAYER_WIDTH)
        if velocity > 0:
            y += velocity
            if self._solid_at(x, y + PLAYER_HEIGHT - 1):
                y = (y + PLAYER_HEIGHT - 1 >> 3) * TILE - PLAYER_HEIGHT
        elif velocity < 0:
            y += velocity
            if self._solid_at(x, y):
                y = (y >> 3) * TILE + TILE
        y = max(y, TILE)
        if velocity < 0 and self._solid_at(x, y - 1):
            velocity = 0
            events.append("bump")
        elif velocity >= 0 and self._solid_at(x, y + PLAYER_HEIGHT):
            velocity = 0
        self._x, self._y, self._velocity = x, y, velocity

    def _solid_at(self, x: int, y: int) -> bool:
        """Whether anything of a line as wide as the player is solid; its left end is at x, y."""
        row = (y >> 3) * COLUMNS
        tiles = self._tiles
        return tiles[row + (x >> 3)] >= BRICK or tiles[row + (x + PLAYER_WIDTH - 1 >> 3)] >= BRICK

    def _collect(self, events: list[str]) -> None:
        x, y, tiles = self._x, self._y, self._tiles
        for row in {y >> 3, y + PLAYER_HEIGHT - 1 >> 3}:
            for column in {x >> 3, x + PLAYER_WIDTH - 1 >> 3}:
                place = row * COLUMNS + column
                tile = tiles[place]
                if tile != COIN and tile != KEY:
                    continue
                tiles[place] = EMPTY
                if tile == KEY:
                    self._has_key = True
                    events.append("key")
                else:
                    self._coins = (self._coins + 1) % (COIN_PLACES + 1)
                    events.append("coin" if self._coins else "bag")
                self._paint()

    def _crawl(self, events: list[str]) -> None:
        x, y, side = self._slime
        if self._dice.one_in(TURNS):
            side = -side
            events.append("turn")
        if x % TILE or self._is_walk(y >> 3, (x >> 3) + side):
            x += side
        else:
            side = -side
        self._slime[:] = x, y, side

    def _is_walk(self, row: int, column: int) -> bool:
        place = row * COLUMNS + column
        return 0 <= column < COLUMNS and self._tiles[place] == EMPTY and self._tiles[place + COLUMNS] == BRICK

    def _enter(self) -> None:
        """A new room, the player standing in it."""
        room = draw_room(self._dice, self.split)
        self._tiles = bytearray(SOLID[0] + room.tiles[COLUMNS:] + SOLID[1])
        self._x, self._y = room.start % COLUMNS * TILE, room.start // COLUMNS * TILE + TILE - PLAYER_HEIGHT
        self._velocity, self._slime = 0, None
        if room.slime is not None and self.with_slime:
            row, column = divmod(room.slime, COLUMNS)
            self._slime = [column * TILE, row * TILE + TILE - SLIME_HEIGHT, 1 if room.slime_right else -1]
        self._paint()

    def _paint(self) -> None:
        """The room and the HUD without player and slime, from the tiles."""
        hud = [HAS_KEY if self._has_key else NO_KEY]
        hud += [HAS_COIN] * self._coins + [NO_COIN] * (COIN_PLACES - self._coins)
        numbers = np.frombuffer(bytes(hud) + self._tiles[COLUMNS:-COLUMNS], dtype=np.uint8).reshape(ROWS, COLUMNS)
        self._room = TILES[numbers].swapaxes(1, 2).reshape(HEIGHT, WIDTH)


def _is_inside(x: int, y: int, width: int, height: int) -> bool:
    return 0 <= x <= WIDTH - width and TILE <= y <= HEIGHT - height
