"""The reader of `rooms`: the nearest tile in each cell, then the characters by template matching, then the tiles again.

Nothing here was trained. On frames of the engine it is exact; what it makes of spoilt ones is in
benchmarks/arcade_reader.md.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange, reduce

from common.data.arcade import RoomsState
from common.data.arcade import rooms as engine
from common.data.arcade.tiles import (
    BRICK,
    COLUMNS,
    EMPTY,
    HAS_COIN,
    HAS_KEY,
    HEIGHT,
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
from common.evaluation.arcade_reader.matching import Template, colors, find, hidden_by

UNKNOWN = 255  # a tile that is none of those there are
CHUNK = 16  # frames at a time
FARTHEST = 1.0  # no single pixel counts for more, at first: characters may be in front
MARGIN = 0.3  # of the way between the two nearest tiles: 1 is the tile itself, 0 is half of each
NEAR = 0.35  # mean squared distance of visible pixels to the nearest tile, summed over colours; flat grey has 0.6
PRESENT, ALIKE, SEEN = 0.5, 0.5, 0.5  # least opacity, likeness and visible part of a character
BLIND = 0.02  # mean squared distance over a cell below which two tiles look alike
FAINT = 3.0  # squared change in all of a frame in which there can be no more players
MOST_PLAYERS = 3  # it stops counting there
TILE_COLORS = colors(TILES, PALETTE)  # (9, 3, 8, 8)
PLAYER = Template(colors(PLAYER_PAINTING, PALETTE), torch.from_numpy(PLAYER_MASK))
SLIME = Template(colors(SLIME_PAINTING, PALETTE), torch.from_numpy(SLIME_MASK))
HALVED_TILES = reduce(TILE_COLORS, "tile c (h a) (w b) -> tile c h w", "mean", a=2, b=2)
APART = (HALVED_TILES[:, None] - HALVED_TILES).square().sum(dim=2).mean(dim=(-2, -1))  # (tiles, tiles)
# What may be in each cell: in the HUD's first one, in its others, in the room.
CHOICES = torch.zeros(ROWS, COLUMNS, len(TILES), dtype=torch.bool)
CHOICES[0, 0, [NO_KEY, HAS_KEY]] = True
CHOICES[0, 1:, [NO_COIN, HAS_COIN]] = True
CHOICES[1:, :, EMPTY : BRICK + 1] = True
PLAYER_PLACES = torch.zeros(HEIGHT - PLAYER_HEIGHT + 1, WIDTH - PLAYER_WIDTH + 1, dtype=torch.bool)
PLAYER_PLACES[TILE:] = True
SLIME_PLACES = torch.zeros(HEIGHT - SLIME_HEIGHT + 1, WIDTH - SLIME_WIDTH + 1, dtype=torch.bool)
SLIME_PLACES[2 * TILE - SLIME_HEIGHT :: TILE] = True


@dataclass(frozen=True)
class RoomsReading:
    """What one frame shows.

    Attributes:
        tiles: 56 tiles as in `RoomsState`; `UNKNOWN` where it is none.
        player: x and y of the player that is seen best, or None.
        num_players: how many are seen, 3 for more.
        opacity: of that player, about 1; below a half there is none.
        slime: x and y of the slime, or None.
        has_key: whether the HUD shows the key; None if it cannot be told.
        coins: how many the HUD shows; None if it cannot be told, or if there is a gap between them.
    """

    tiles: bytes
    player: tuple[int, int] | None
    num_players: int
    opacity: float
    slime: tuple[int, int] | None
    has_key: bool | None
    coins: int | None


def read_rooms(clip: torch.Tensor) -> list[RoomsReading]:
    """What each frame shows. Whatever the pixels are, it answers.

    Args:
        clip: `(3, T, 64, 64)` in [-1, 1].

    Raises:
        ValueError: the shape is another one.
    """
    if clip.ndim != 4 or clip.shape[0] != 3 or tuple(clip.shape[2:]) != (HEIGHT, WIDTH):
        raise ValueError(f"a clip is (3, T, {HEIGHT}, {WIDTH}), got {tuple(clip.shape)}")
    frames = rearrange(clip.detach().to("cpu", torch.float32), "c t h w -> t c h w").nan_to_num().clamp(-1.5, 1.5)
    return [reading for chunk in frames.split(CHUNK) for reading in _read(chunk)]


def read_state(now: RoomsReading, before: RoomsReading | None = None) -> RoomsState | None:
    """The state that the engine can be set to, as far as it was read: None without a player.

    Unknown tiles count as empty, an unclear HUD as empty. Velocities are those of the engine's rules: the way since the
    frame before, except where the player touches the slime or something solid, or has come through a door.

    Args:
        now: of the frame in question.
        before: of the frame before it; without it the player is taken to be at rest, the slime to go to the right.
    """
    if now.player is None:
        return None
    tiles = bytes(EMPTY if tile == UNKNOWN else tile for tile in now.tiles)
    slime = None
    if now.slime:
        came = now.slime[0] - before.slime[0] if before and before.slime and before.slime[1] == now.slime[1] else 0
        slime = (*now.slime, (came > 0) - (came < 0) or _way_out(tiles, *now.slime))
    velocity = 0
    if now.slime and _touch(now.player, now.slime):
        velocity = engine.BOUNCE
    elif before and before.player and not (before.has_key and not now.has_key):
        velocity = _velocity(tiles, now.player, now.player[1] - before.player[1])
    return RoomsState(tiles, *now.player, velocity, bool(now.has_key), now.coins or 0, slime)


def _read(frames: torch.Tensor, tiles: torch.Tensor | None = None) -> list[RoomsReading]:
    cells = _cells(frames)
    guess = _nearest(_distances(cells, farthest=FARTHEST))[0][0] if tiles is None else tiles
    background = rearrange(TILE_COLORS[guess], "n row column c h w -> n c (row h) (column w)")
    visible = torch.ones_like(frames[:, :1])

    def look_for(template: Template, places: torch.Tensor, least_seen: float):
        nonlocal visible
        match = find(frames, background, visible, template, places)
        present = (match.opacity > PRESENT) & (match.likeness > ALIKE) & (match.seen > least_seen)
        visible = visible * ~(hidden_by(match, template, HEIGHT, WIDTH) & present[:, None, None, None])
        return match, present

    player, present = look_for(PLAYER, PLAYER_PLACES, SEEN)
    slime, has_slime = look_for(SLIME, SLIME_PLACES, 0.0)
    num_players = present.long()
    while present.any() and num_players.max() < MOST_PLAYERS:
        if (visible * (frames - background).square()).sum(dim=(1, 2, 3)).max() < FAINT:
            break
        present = look_for(PLAYER, PLAYER_PLACES, SEEN)[1]
        num_players += present

    found, known = _clear_tiles(cells, _cells(visible))
    numbers = torch.where(known, found, UNKNOWN).to(torch.uint8).numpy()
    readings = [
        RoomsReading(
            tiles=numbers[k, 1:].tobytes(),
            player=(int(player.x[k]), int(player.y[k])) if num_players[k] else None,
            num_players=int(num_players[k]),
            opacity=float(player.opacity[k]),
            slime=(int(slime.x[k]), int(slime.y[k])) if has_slime[k] else None,
            has_key=None if numbers[k, 0, 0] == UNKNOWN else bool(numbers[k, 0, 0] == HAS_KEY),
            coins=_count(numbers[k, 0, 1:]),
        )
        for k in range(len(frames))
    ]
    changed = (found != guess).any(dim=(1, 2))
    if tiles is None and changed.any():  # characters hid so much that their background was wrong
        again = _read(frames[changed], found[changed])
        for k, reading in zip(changed.nonzero()[:, 0].tolist(), again):
            readings[k] = reading
    return readings


def _cells(pictures: torch.Tensor) -> torch.Tensor:
    return rearrange(pictures, "n c (row h) (column w) -> n row column c h w", row=ROWS, column=COLUMNS)


def _halved(cells: torch.Tensor) -> torch.Tensor:
    """Means over 2x2 pixels: what is left of a tile after some blur, and noise of half the size."""
    return reduce(cells, "... (h a) (w b) -> ... h w", "mean", a=2, b=2)


def _distances(cells: torch.Tensor, farthest: float = torch.inf) -> torch.Tensor:
    """Mean squared distances to each tile: cells `(..., 3, 8, 8)` to `(..., tiles)`."""
    error = (_halved(cells).unsqueeze(-4) - HALVED_TILES).square().sum(dim=-3)  # (..., tiles, 4, 4)
    return error.clamp(max=farthest).mean(dim=(-2, -1))


def _partial_distances(cells: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The same where only pixels of weight 1 count: `(M, 3, 8, 8)` and `(M, 1, 8, 8)` to `(M, tiles)`."""
    error = _halved(weights[:, None] * (cells[:, None] - TILE_COLORS))  # (M, tiles, 3, 4, 4)
    area = _halved(weights)[:, None].clamp(min=1e-6)
    return (error.square() / area).sum(dim=2).mean(dim=(-2, -1))


def _nearest(distances: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The two nearest of the tiles that may be in each cell, and their distances: `(2, N, rows, columns)` each."""
    two = torch.where(CHOICES, distances, torch.inf).topk(2, dim=-1, largest=False)
    return two.indices.movedim(-1, 0), two.values.movedim(-1, 0)


def _clear_tiles(cells: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The nearest tile of each cell by its visible pixels; and whether it is near, and much nearer than the next.

    Where the visible pixels cannot tell any two tiles apart the cell is empty: only the slime hides so much, and it
    crosses no other tile.
    """
    distances, hidden = _distances(cells), (weights < 1).any(dim=-1).any(dim=-1)[..., 0]
    distances[hidden] = _partial_distances(cells[hidden], weights[hidden])
    (tiles, others), (near, next_near) = _nearest(distances)
    apart = APART[tiles, others]  # (N, rows, columns)
    between = _partial_distances(TILE_COLORS[others[hidden]], weights[hidden])
    apart[hidden] = between.gather(1, tiles[hidden][:, None])[:, 0]
    blind = apart < BLIND
    known = blind | ((next_near - near > MARGIN * apart) & (near < NEAR * weights.mean(dim=(-3, -2, -1))))
    return torch.where(blind, EMPTY, tiles), known


def _count(places: np.ndarray) -> int | None:
    """Coins in the HUD, if they are side by side from the left."""
    coins = int((places == HAS_COIN).sum())
    return coins if (places[:coins] == HAS_COIN).all() and (places[coins:] == NO_COIN).all() else None


def _solid_at(tiles: bytes, x: int, y: int) -> bool:
    row = y // TILE - 1
    if not 0 <= row < ROWS - 1:
        return True
    return any(tiles[row * COLUMNS + column // TILE] == BRICK for column in (x, x + PLAYER_WIDTH - 1))


def _velocity(tiles: bytes, player: tuple[int, int], way: int) -> int:
    """The player's, from the way since the frame before."""
    x, y = player
    stopped = _solid_at(tiles, x, y - 1) if way < 0 else _solid_at(tiles, x, y + PLAYER_HEIGHT)
    return 0 if stopped or not engine.JUMP <= way <= engine.FASTEST else way


def _touch(player: tuple[int, int], slime: tuple[int, int]) -> bool:
    return (-PLAYER_WIDTH < player[0] - slime[0] < SLIME_WIDTH) and (
        -PLAYER_HEIGHT < player[1] - slime[1] < SLIME_HEIGHT
    )


def _way_out(tiles: bytes, x: int, y: int) -> int:
    """The direction of a slime that has not moved: away from the side where it cannot go on."""
    row, column = y // TILE - 1, x // TILE + 1
    place = row * COLUMNS + column
    free = column < COLUMNS and tiles[place] == EMPTY and (row == ROWS - 2 or tiles[place + COLUMNS] == BRICK)
    return 1 if x % TILE or free else -1
