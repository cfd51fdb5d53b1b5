"""How often the reader of `rooms` is right, on frames of the engine and on spoilt ones; the rules; the players.

    python benchmarks/arcade_reader.py [--frames 6000] [--spoilt 600]

Plays of 300 frames by the mixed player, half of each split: `--frames` as the engine draws them, `--spoilt` in every
other row. Four tables:

- frames: what is read right, in percent of frames; the rows below are spoilt as a whole;
- artefacts of dreams, put into one place of a good frame: how often the reader says what is there;
- rules: one-step agreement of plays that are right, and of plays that are broken on purpose;
- players: events per 1,000 frames, and how many frames one core draws in a second.

The numbers go to benchmarks/results/arcade_reader.json, the tables are printed.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from sprite_reader import blurred, jpeg, noisy
from sprites import machine

from common.data.arcade import Catch, Rooms, mixed_player, play, record
from common.data.arcade.catch import CatchScript
from common.data.arcade.players import RandomKeys
from common.data.arcade.rooms import EVENTS
from common.data.arcade.rooms_player import RoomsScript
from common.data.arcade.tiles import BRICK, PALETTE, PLAYER_MASK, PLAYER_PAINTING
from common.evaluation.arcade_reader import UNKNOWN, read_rooms
from common.evaluation.arcade_reader.rooms import TILE_COLORS
from common.evaluation.arcade_rules import PARTS, rule_agreement
from common.evaluation.reconstruction import clip_psnr

RESULTS = Path(__file__).resolve().parent / "results" / "arcade_reader.json"
LENGTH, FIRST = 300, 9000  # frames of a play; the number of the first one
COLUMNS = ("player", "count", "tiles", "hud", "slime", "all", "one tile")
SHIFTS = (-0.3, -0.15, 0.15, 0.3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=6000, help="frames as the engine draws them")
    parser.add_argument("--spoilt", type=int, default=600, help="frames in every other row")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    report = {"machine": machine(), "frames": arguments.frames, "spoilt": arguments.spoilt}
    plays = [draw(k) for k in range(-(-arguments.frames // LENGTH))]
    some = plays[: -(-arguments.spoilt // LENGTH)]
    report["reader"] = {"as drawn": row(plays)} | {name: row(some, spoil) for name, spoil in SPOILT.items()}
    report["artefacts"] = artefacts(some)
    report["rules"] = rules(some)
    report["players"] = players()
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(tables(report))


def draw(number: int):
    return play(Rooms(("train", "test")[number % 2]), FIRST + number, LENGTH, mixed_player("rooms"), states=True)


def clip_of(frames: np.ndarray) -> torch.Tensor:
    return rearrange(torch.from_numpy(frames).float() / 127.5 - 1, "t h w c -> c t h w")


# ------------------------------------------------------------------------------------------------ whole frames


def row(plays, spoil=None) -> dict:
    """What is read right, as parts of the frames; PSNR in dB if spoilt; frames per second of the reader."""
    generator, right, psnr, seconds = torch.Generator().manual_seed(0), [], [], 0.0
    for item in plays:
        clip = shown = clip_of(item.frames)
        if spoil:
            shown = spoil(clip[None], generator).clamp(-1, 1)[0]
            psnr.append(float(clip_psnr(shown[None], clip[None], data_range=2)))
        clock = time.process_time()
        readings = read_rooms(shown)
        seconds += time.process_time() - clock
        right += [compare(reading, state) for reading, state in zip(readings, item.states)]
    rates = dict(zip(COLUMNS, np.mean(right, axis=0).tolist()))
    return (
        rates | {"frames": len(right), "per_second": len(right) / seconds} | ({"psnr": np.mean(psnr)} if psnr else {})
    )


def compare(reading, state) -> tuple:
    player, slime = reading.player == (state.x, state.y), reading.slime == (state.slime and state.slime[:2])
    hud = (reading.has_key, reading.coins) == (state.has_key, state.coins)
    same = np.frombuffer(reading.tiles, np.uint8) == np.frombuffer(state.tiles, np.uint8)
    parts = (player, reading.num_players == 1, same.all(), hud, slime)
    return (*parts, all(parts), same.mean())


SPOILT = {
    **{f"blur, {sigma} px": lambda clips, _, sigma=sigma: blurred(clips, sigma) for sigma in (0.5, 0.75, 1.0, 1.5)},
    **{f"noise, {std}": lambda clips, g, std=std: noisy(clips, std, g) for std in (0.1, 0.2, 0.3, 0.4)},
    **{f"brighter by {by}": lambda clips, _, by=by: clips + by for by in SHIFTS},
    **{f"contrast x {by}": lambda clips, _, by=by: clips * by for by in (0.7, 0.85, 1.2)},
    **{f"JPEG, quality {quality}": lambda clips, _, quality=quality: jpeg(clips, quality) for quality in (50, 20)},
    "blur 0.75 px and noise 0.1": lambda clips, g: noisy(blurred(clips, 0.75), 0.1, g),
}


# ------------------------------------------------------------------------------------------------ artefacts


def artefacts(plays) -> dict:
    """How often the reader says what is there, for each kind of artefact."""
    found, rng = {}, np.random.default_rng(0)

    def note(name: str, frames: list, answers) -> None:
        readings = read_rooms(clip_of(np.stack(frames)))
        found[name] = float(np.mean([answer(reading) for answer, reading in zip(answers, readings)]))

    moments = [(item.frames[t], item.states[t]) for item in plays for t in range(0, LENGTH, 3)]
    for opacity in (0.0, 0.25, 0.4, 0.6, 0.75):
        frames = [with_player(without_player(frame, state), state.x, state.y, opacity) for frame, state in moments]
        want = [(state.x, state.y) if opacity > 0.5 else None for _, state in moments]
        due = "found, to the pixel" if opacity > 0.5 else "not found"
        note(f"player of opacity {opacity}: {due}", frames, [lambda r, w=w: r.player == w for w in want])
    for opacity in (0.6, 1.0):
        frames = []
        for frame, state in moments:
            x, y = state.x, state.y
            while abs(x - state.x) < 7 and abs(y - state.y) < 8:
                x, y = int(rng.integers(59)), int(rng.integers(8, 50))
            frames.append(with_player(frame, x, y, opacity))
        note(f"a second player of opacity {opacity}: two counted", frames, [lambda r: r.num_players == 2] * len(frames))
    for part in (0.15, 0.25, 0.5, 1.0):
        frames, answers = [], []
        for frame, state in moments:
            place, other = free_tile(state, rng), int(rng.integers(1, BRICK + 1))
            other = other if other != state.tiles[place] else 0
            frames.append(mixed(frame, state, place, other, part))
            due = state.tiles[place] if part < 0.4 else UNKNOWN if part == 0.5 else other
            answers.append(lambda r, place=place, due=due: r.tiles[place] == due)
        due = {0.5: "unknown", 1.0: "that tile"}.get(part, "the tile below")
        note(f"a tile with {part:.0%} of another one: {due}", frames, answers)
    places = [free_tile(state, rng) for _, state in moments]
    frames = [paint(frame, place, torch.zeros(3, 8, 8)) for (frame, _), place in zip(moments, places)]
    note("a flat grey tile: unknown", frames, [lambda r, p=place: r.tiles[p] == UNKNOWN for place in places])
    return found


def without_player(frame, state):
    """The frame as if the player were not there."""
    game = Rooms()
    game.set_state(replace(state, x=0, y=8))
    one = game.painting()
    game.set_state(replace(state, x=58, y=8))
    left = np.arange(64) < 32
    return np.where(left[None, :, None], PALETTE[game.painting()], PALETTE[one])


def with_player(frame, x: int, y: int, opacity: float):
    frame = frame.astype(float)
    there = frame[y : y + 7, x : x + 6]
    there[PLAYER_MASK] += opacity * (PALETTE[PLAYER_PAINTING][PLAYER_MASK] - there[PLAYER_MASK])
    return frame.round().astype(np.uint8)


def free_tile(state, rng) -> int:
    """A tile that no character touches."""
    while True:
        row, column = int(rng.integers(1, 8)), int(rng.integers(8))
        boxes = [(state.x, state.y, 6, 7), *([(*state.slime[:2], 8, 5)] if state.slime else [])]
        if not any(x < 8 * column + 8 and 8 * column < x + w and y < 8 * row + 8 and 8 * row < y + h
                   for x, y, w, h in boxes):  # fmt: skip
            return 8 * row + column - 8


def mixed(frame, state, place: int, other: int, part: float):
    return paint(frame, place, (1 - part) * TILE_COLORS[state.tiles[place]] + part * TILE_COLORS[other])


def paint(frame, place: int, tile: torch.Tensor):
    row, column = place // 8 + 1, place % 8
    frame = frame.copy()
    frame[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = ((tile + 1) * 127.5).round().permute(1, 2, 0).numpy()
    return frame


# ------------------------------------------------------------------------------------------------ rules and players


def rules(plays) -> dict:
    """One-step agreement by parts, for plays that are right and for broken ones."""
    rng, rows = np.random.default_rng(0), {}
    readings = [read_rooms(clip_of(item.frames)) for item in plays]
    arms = {
        "as played": lambda r, a: (r, a),
        "every key another one": lambda r, a: (r, (a + rng.integers(1, 6, len(a))) % 6),
        "keys shuffled": lambda r, a: (r, rng.permutation(a)),
        "keys late by one frame": lambda r, a: (r, np.roll(a, 1)),
        "picture frozen": lambda r, a: (r[:1] * len(r), a),
        "every fifth frame dropped": lambda r, a: (
            [x for k, x in enumerate(r) if k % 5],
            [x for k, x in enumerate(a) if k % 5],
        ),
    }
    for name, arm in arms.items():
        found = [rule_agreement(*arm(r, item.actions)) for r, item in zip(readings, plays)]
        weights = [len(part.events) for part in found]
        rows[name] = {p: float(np.average([part.rate(p) for part in found], weights=weights)) for p in (*PARTS, "all")}
    return rows


def players() -> dict:
    """Events per 1,000 frames of each player, and frames per second with the player's own time."""
    arms = {
        "rooms, script": (Rooms(), RoomsScript()),
        "rooms, random keys": (Rooms(), RandomKeys(6)),
        "rooms, mixed": (Rooms(), mixed_player("rooms")),
        "catch, script": (Catch(), CatchScript()),
        "catch, random keys": (Catch(), RandomKeys(3)),
        "catch, mixed": (Catch(), mixed_player("catch")),
    }
    rows = {}
    for number, (name, (game, player)) in enumerate(arms.items()):
        clock = time.process_time()  # other rooms in each arm: what is known of a room is cached
        events = record(game, player, 40, 500, first=1000 * number, progress=False).events
        rate = 40 * 500 / (time.process_time() - clock)
        rows[name] = {event: 1000 * count / (40 * 499) for event, count in events.items()} | {"per_second": rate}
    game, player = Rooms(), RandomKeys(6)
    clock = time.process_time()
    for _ in range(20_000):
        game.step(player(None))
        game.frame()
    rows["rooms, drawn in RGB, random keys"] = {"per_second": 20_000 / (time.process_time() - clock)}
    return rows


# ------------------------------------------------------------------------------------------------ the tables


def tables(report: dict) -> str:
    lines = [f"| % right | frames | PSNR | {' | '.join(COLUMNS)} |", "|---" * (3 + len(COLUMNS)) + "|"]
    for name, values in report["reader"].items():
        psnr = f"{values['psnr']:.1f}" if "psnr" in values else ""
        lines.append(f"| {name} | {values['frames']} | {psnr} | {percent(values, COLUMNS)} |")
    lines += ["", "| artefact: what the reader should say | % |", "|---|---|"]
    lines += [f"| {name} | {100 * rate:.1f} |" for name, rate in report["artefacts"].items()]
    lines += ["", f"| % of steps that agree | {' | '.join((*PARTS, 'all'))} |", "|---" * 6 + "|"]
    lines += [f"| {name} | {percent(values, (*PARTS, 'all'))} |" for name, values in report["rules"].items()]
    names = (*EVENTS, "catch", "miss")
    lines += ["", f"| per 1,000 frames | {' | '.join(names)} | frames per second |", "|---" * (2 + len(names)) + "|"]
    for name, values in report["players"].items():
        cells = [f"{values[event]:.1f}" if event in values else "" for event in names]
        lines.append(f"| {name} | {' | '.join(cells)} | {values['per_second']:,.0f} |")
    lines += ["", f"reader: {report['reader']['as drawn']['per_second']:.0f} frames per second of one core's time"]
    return "\n".join(lines)


def percent(values: dict, names) -> str:
    return " | ".join(f"{100 * values[name]:.1f}" for name in names)


if __name__ == "__main__":
    main()
