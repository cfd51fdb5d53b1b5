"""Where one can stand in a room, and which of these places can be reached from which: for the maker and the script.

A place is the number of a tile, `8 * row + column`, with room to stand in and something solid below. Steps between
places are those that are sure to succeed: a walk, a fall beside a ledge, a jump up to the next column. A player can do
more than that.
"""

from functools import lru_cache

from common.data.arcade.tiles import BRICK, COLUMNS, ROWS


def brick_mask(tiles: bytes) -> int:
    """The bricks of the picture's 64 tiles as the bits of a number; the HUD's row counts as solid."""
    mask = 0xFF
    for place, tile in enumerate(tiles):
        if tile >= BRICK:
            mask |= 1 << place
    return mask


@lru_cache(maxsize=4096)
def steps_between_places(mask: int) -> dict[int, tuple[int, ...]]:
    """For each place of a room with these bricks, the places one step away."""
    solid = [bool(mask >> place & 1) for place in range(ROWS * COLUMNS)] + [True] * COLUMNS
    steps = {}
    for place in range(COLUMNS, ROWS * COLUMNS):
        if solid[place] or not solid[place + COLUMNS]:
            continue
        found = []
        for side in (-1, 1):
            if not 0 <= place % COLUMNS + side < COLUMNS:
                continue
            beside = place + side
            if not solid[beside]:  # a walk, or a fall
                landing = beside
                while not solid[landing + COLUMNS]:
                    landing += COLUMNS
                found.append(landing)
            for up in (1, 2):  # a jump: the column above is free, and so is the tile over the landing
                above, landing = place - up * COLUMNS, beside - up * COLUMNS
                if above < COLUMNS or solid[above]:
                    break
                if not solid[landing] and solid[landing + COLUMNS] and not solid[landing - COLUMNS]:
                    found.append(landing)
        steps[place] = tuple(found)
    return steps


def distances(mask: int, goals) -> dict[int, int]:
    """Steps to the nearest goal from each place from which one can be reached."""
    into = {}
    for place, landings in steps_between_places(mask).items():
        for landing in landings:
            into.setdefault(landing, []).append(place)
    found, edge = dict.fromkeys(goals, 0), list(goals)
    for place in edge:  # it grows while it is read
        for before in into.get(place, ()):
            if before not in found:
                found[before] = found[place] + 1
                edge.append(before)
    return found


def reachable(mask: int, start: int) -> set[int]:
    """The places that can be reached from one and from which it can be reached again; empty if any is a trap."""
    steps, seen, edge = steps_between_places(mask), {start}, [start]
    for place in edge:
        for landing in steps[place]:
            if landing not in seen:
                seen.add(landing)
                edge.append(landing)
    return seen if seen <= distances(mask, (start,)).keys() else set()
