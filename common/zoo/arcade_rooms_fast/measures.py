"""How good `arcade-rooms-fast` is: beside its teacher, where one step of the teacher is right and where it is not.

Behind a door any room is right, so nothing is compared with the room that the game drew. It is read: are its tiles
tiles, is it whole, is there a slime as often as in the game, are its pixels in the game's colours? Elsewhere the next
frame has a truth. And dreams are judged by the rules of the game, as for `arcade-rooms`.
"""

from collections.abc import Callable

import numpy as np
import torch
from einops import rearrange

from common.data.arcade import ActionBatch, Rooms, arcade_recording, mixed_player, record
from common.data.arcade.tiles import DOOR, KEY, PALETTE, PLAYER_HEIGHT, TILE
from common.evaluation.arcade_reader import UNKNOWN, read_rooms
from common.streaming.world import sample_next
from common.zoo.arcade_rooms.measures import PLAY, decibels, dream, same_place, squared, summary
from common.zoo.arcade_rooms.trials import doors
from common.zoo.arcade_rooms_fast.teacher import TEACHER_STEPS, load_teacher
from common.zoo.settings import pick_setting

# Doors, windows elsewhere, dreams, and frames in each.
SETTINGS = {"small": (8, 16, 2, 16), "full": (96, 160, 8, 150)}
CONTEXT, BATCH = 4, 16
CLEAR = 0.05  # of the range [-1, 1]
DREAMT = ("present_end", "one_player", "rule_player", "rule_grid", "rule_hud", "rule_slime", "rule_all")


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: a `WorldUNet`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        `door/…` behind doors and `next/…` elsewhere, of the student at one step; the same with `teacher/` before it of
        the teacher at one step, with `teacher_many/` at `TEACHER_STEPS`, with `game/` of the game itself; `dream/…` of
        dreams at one step, and `teacher/dream/…`.

    Raises:
        ValueError: there is no such setting.
    """
    num_doors, num_windows, num_games, num_frames = pick_setting(SETTINGS, setting)
    tell, teacher, found = progress or (lambda part: None), load_teacher(), {}
    behind, elsewhere = door_windows(num_doors), other_windows(num_windows)
    arms = {"": (model, 1), "teacher/": (teacher, 1), "teacher_many/": (teacher, TEACHER_STEPS)}
    for number, (name, (net, num_steps)) in enumerate(arms.items()):
        measured = {f"door/{key}": value for key, value in behind_doors(net, behind, num_steps).items()}
        measured |= {f"next/{key}": value for key, value in next_frames(net, elsewhere, num_steps).items()}
        found |= {f"{name}{key}": value for key, value in measured.items()}
        tell(0.1 * (number + 1))
    found |= {f"game/door/{key}": value for key, value in room_quality(behind.clips()[:, :, -1]).items()}
    plays = record(Rooms("test"), mixed_player("rooms"), num_games, CONTEXT, window=CONTEXT, progress=False)
    for number, (name, net) in enumerate({"": model, "teacher/": teacher}.items()):
        done = 0.3 + 0.35 * number
        judged = summary(
            dream(net, plays, num_games, num_frames, progress=lambda part, done=done: tell(done + 0.35 * part))
        )
        found |= {f"{name}dream/{key}": judged[key] for key in DREAMT}
    return found


def door_windows(count: int) -> ActionBatch:
    """Windows of test plays whose last frame is behind a door; fewer where there are not so many doors."""
    plays = arcade_recording("rooms", max(2_000, 320 * count), "test")
    return plays.windows(doors(plays, CONTEXT + 1, count), CONTEXT + 1)


def other_windows(count: int) -> ActionBatch:
    """Windows of test plays, spread evenly; none ends behind a door."""
    plays = arcade_recording("rooms", 8_000, "test")
    behind = set(doors(plays, CONTEXT + 1, len(plays.frames) * PLAY))
    firsts = np.linspace(8, PLAY - CONTEXT - 1, -(-count // len(plays.frames))).round().astype(int)
    places = [(number, int(first)) for first in firsts for number in range(len(plays.frames))]
    return plays.windows([place for place in places if place not in behind][:count], CONTEXT + 1)


@torch.no_grad()
def draw_next(model, windows: ActionBatch, num_steps: int, seed: int = 0, context_noise: float = 0.0) -> torch.Tensor:
    """The model's last frames of windows, `(N, 3, H, W)`. Each sample has noise of its own."""
    clip, frames = windows.clips(), []
    for start in range(0, len(clip), BATCH):
        past = clip[start : start + BATCH, :, :-1]
        noise = [torch.Generator(model.device).manual_seed(1000 * seed + start + k) for k in range(len(past))]
        keys = windows.actions[start : start + BATCH]
        frames.append(sample_next(model, past, keys, num_steps, context_noise=context_noise, generator=noise))
    return torch.cat(frames)


def behind_doors(model, windows: ActionBatch, num_steps: int = 1, seed: int = 0) -> dict[str, float]:
    """What `room_quality` finds in the rooms that a model draws behind doors."""
    return room_quality(draw_next(model, windows, num_steps, seed))


def room_quality(rooms: torch.Tensor) -> dict[str, float]:
    """New rooms, read.

    Args:
        rooms: `(N, 3, 64, 64)` in [-1, 1].

    Returns:
        Parts from 0 to 1: `tiles`, those that are readable; `whole`, rooms of readable tiles with one door and one key;
        `player`, rooms with exactly one, who stands; `slime`, rooms with a slime; `sharpness`, pixels of the room
        that have one of the game's colours (`CLEAR`).
    """
    readings = read_rooms(rooms.transpose(0, 1))
    grids = [list(one.tiles) for one in readings]
    whole = [UNKNOWN not in grid and grid.count(DOOR) == grid.count(KEY) == 1 for grid in grids]
    stands = [r.num_players == 1 and r.player and (r.player[1] + PLAYER_HEIGHT) % TILE == 0 for r in readings]
    return {
        "tiles": float(np.mean(np.array(grids) != UNKNOWN)),
        "whole": float(np.mean(whole)),
        "player": float(np.mean(np.array(stands, dtype=bool))),
        "slime": float(np.mean([one.slime is not None for one in readings])),
        "sharpness": clear_pixels(rooms),
    }


def clear_pixels(frames: torch.Tensor) -> float:
    """The part of the pixels below the HUD whose every channel is within `CLEAR` of one of the game's colours."""
    colors = torch.from_numpy(PALETTE.astype(np.float32)) / 127.5 - 1  # (P, 3)
    pixels = rearrange(frames[..., TILE:, :].cpu(), "n c h w -> (n h w) 1 c")
    return float(((pixels - colors).abs().amax(dim=-1).amin(dim=1) < CLEAR).float().mean())


def next_frames(model, windows: ActionBatch, num_steps: int = 1, seed: int = 0) -> dict[str, float]:
    """The next frame where it follows from the past.

    Returns:
        `psnr` in dB, `exact`: the one player is at the very pixel; `slime`: there where it is in the game.
    """
    made, due = draw_next(model, windows, num_steps, seed), windows.clips()[:, :, -1]
    pairs = list(zip(read_rooms(made.transpose(0, 1)), read_rooms(due.transpose(0, 1))))
    return {
        "psnr": decibels(float(squared(made, due).mean())),
        "exact": float(np.mean([same_place(*pair) for pair in pairs])),
        "slime": float(np.mean([one.slime is not None for one, other in pairs if other.slime])),
    }
