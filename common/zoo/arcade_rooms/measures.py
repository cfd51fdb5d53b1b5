"""How good `arcade-rooms` is: the next frame from a real past, and long dreams judged by the rules of the game.

From a real past ("teacher forcing") every frame has a truth to be compared with. A dream has none: after a second it is
somewhere else. So each of its steps is judged by itself: the state is read at frame t, the engine is set to it and
steps with the same key, and what it says is compared with frame t + 1 (`evaluation.arcade_rules`).

The network computes in the type that it comes in, which is float32: bfloat16 is faster, and rounds in other ways on
other processors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from common.data.arcade import Recording, Rooms, mixed_player, record
from common.data.arcade.players import RandomKeys
from common.data.arcade.rooms_player import RoomsScript
from common.evaluation.arcade_reader import RoomsReading, read_rooms, read_state
from common.evaluation.arcade_rules import RuleAgreement, rule_agreement
from common.streaming.world import push, sample_next
from common.zoo.settings import pick_setting

# Windows with a real past; dreams, and frames in each.
SETTINGS = {"small": (64, 2, 60), "full": (160, 16, 1000)}
PLAY = 500  # frames of a test play
NUM_STEPS, CONTEXT_NOISE = 1, 0.3  # in dreams: calls of the model per frame, level of the noise on the past
BATCH = 16
HUD_EVENTS = ("coin", "bag", "key", "door")


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: a `WorldUNet`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Raises:
        ValueError: there is no such setting.
    """
    num_windows, num_games, num_frames = pick_setting(SETTINGS, setting)
    tell = progress or (lambda part: None)
    plays = record(Rooms("test"), mixed_player("rooms"), 16, PLAY, progress=False)
    found = measure_next(model, plays, num_windows, lambda part: tell(0.4 * part))
    dreams = dream(model, plays, num_games, num_frames, progress=lambda part: tell(0.4 + 0.6 * part))
    return found | summary(dreams)


@torch.no_grad()
def measure_next(model, plays: Recording, num_windows: int, progress=lambda part: None) -> dict[str, float]:
    """The next frame from a real past, on windows spread evenly over plays.

    Returns:
        For 1, 2 and 3 steps `psnr_…` (dB, of the squared error over all frames but those behind a door, which cannot
        be foretold) and `exact_…`, the part in which the one player is at the very pixel; at `NUM_STEPS` also
        `exact_after_change`, where the key is another one than before. `copy_last/…`: the last frame again.
        `wrong_keys/exact`: told another key than the one pressed, and `wrong_keys/engine`, how often the game itself
        comes to the same place with that key.
    """
    context, num_plays = model.config.context, len(plays.frames)
    firsts = np.linspace(8, PLAY - context - 1, -(-num_windows // num_plays)).round().astype(int)
    places = [(number, int(first)) for first in firsts for number in range(num_plays)][:num_windows]
    truth, last, errors = [], [], {"copy_last": [], "1": [], "2": [], "3": []}
    actions = torch.cat([plays.windows([place], context + 1).actions for place in places])  # (N, K)
    other = (actions[:, -1] + 1 + torch.arange(len(actions)) % 5) % model.config.num_actions
    wrong = torch.cat([actions[:, :-1], other[:, None]], dim=1)
    runs = {"1": (1, actions), "2": (2, actions), "3": (3, actions), "wrong": (NUM_STEPS, wrong)}
    readings = {name: [] for name in runs}
    for start in range(0, len(places), BATCH):
        clip = plays.windows(places[start : start + BATCH], context + 1).clips()
        past, due = clip[:, :, :-1], clip[:, :, -1]
        truth += read_rooms(due.transpose(0, 1))
        last += read_rooms(past[:, :, -1].transpose(0, 1))
        errors["copy_last"].append(squared(past[:, :, -1], due))
        for name, (num_steps, keys) in runs.items():
            noise = [torch.Generator(model.device).manual_seed(start + k) for k in range(len(clip))]
            made = sample_next(model, past, keys[start : start + BATCH], num_steps, generator=noise)
            readings[name] += read_rooms(made.transpose(0, 1))
            if name in errors:
                errors[name].append(squared(made, due))
        progress((start + len(clip)) / len(places))
    same_room = np.array([a.has_key <= b.has_key for a, b in zip(last, truth)])  # a door takes the key
    level = {name: decibels(np.concatenate(e)[same_room].mean()) for name, e in errors.items()}
    found = {f"psnr_{name}": level[name] for name in ("1", "2", "3")} | {"copy_last/psnr": level["copy_last"]}
    exact = {name: np.array([same_place(a, b) for a, b in zip(readings[name], truth)]) for name in runs}
    found |= {f"exact_{name}": float(exact[name].mean()) for name in ("1", "2", "3")}
    changed = (actions[:, -1] != actions[:, -2]).numpy()
    found["exact_after_change"] = float(exact[str(NUM_STEPS)][changed].mean())
    found["copy_last/exact"] = float(np.mean([same_place(a, b) for a, b in zip(last, truth)]))
    found["wrong_keys/exact"] = float(exact["wrong"].mean())
    found["wrong_keys/engine"] = float(np.mean([engine_agrees(plays, *p, int(k)) for p, k in zip(places, other)]))
    return found


def squared(frames: torch.Tensor, due: torch.Tensor) -> np.ndarray:
    """The mean squared error of each of `(B, 3, H, W)` frames, `(B,)`."""
    return (frames - due).square().mean(dim=(1, 2, 3)).double().cpu().numpy()


def decibels(error: float) -> float:
    """PSNR of frames in [-1, 1] with this mean squared error; 100 dB at most."""
    return float(10 * np.log10(4 / max(error, 4e-10)))


def same_place(made: RoomsReading, due: RoomsReading) -> bool:
    """Whether there is one player, at the very pixel."""
    return made.num_players == 1 and made.player == due.player


def engine_agrees(plays: Recording, number: int, first: int, key: int) -> bool:
    """Whether the game comes to the same place with another key."""
    window = plays.windows([(number, first)], 5)
    before, now, due = read_rooms(window.clips()[0, :, -3:])
    game = Rooms("test")
    game.set_state(read_state(now, before))
    game.step(key)
    return (game.state().x, game.state().y) == due.player


@dataclass(frozen=True)
class Dream:
    """What was read in one dream.

    Attributes:
        readings: of its frames, those of the real past before them.
        actions: one fewer than readings.
    """

    readings: Sequence[RoomsReading]
    actions: Sequence[int]

    def agreement(self) -> RuleAgreement:
        """Which steps follow the rules."""
        return rule_agreement(self.readings, self.actions)


@torch.no_grad()
def dream(
    model,
    plays: Recording,
    num_games: int,
    num_frames: int,
    num_steps: int = NUM_STEPS,
    context_noise: float = CONTEXT_NOISE,
    progress: Callable[[float], None] = lambda part: None,
    sampler: Callable | None = None,
) -> list[Dream]:
    """Dreams from the beginning of plays. The scripted player decides by what the reader sees in the dream.

    Where no player is seen, random keys are pressed.

    Args:
        model: a `WorldUNet`.
        plays: real ones to begin with; game k begins like play k.
        num_games: dreams, side by side.
        num_frames: of each, after the real past.
        num_steps: calls of the model per frame.
        context_noise: level of the noise on the past.
        progress: called with the part that is done.
        sampler: called like `sample_next`, with the games `BATCH` at a time; None for `sample_next` itself.
    """
    context, sampler = model.config.context, sampler or sample_next
    begun = plays.windows([(number, 0) for number in range(num_games)], context)
    past, actions = begun.clips(), begun.actions.tolist()  # (N, 3, K, H, W)
    readings = [read_rooms(clip) for clip in past]
    players = [(RoomsScript(), RandomKeys(model.config.num_actions)) for _ in range(num_games)]
    noise = [torch.Generator(model.device).manual_seed(number) for number in range(num_games)]
    for number, (script, keys) in enumerate(players):
        script.reset(number), keys.reset(number)
    for k in range(num_frames):
        for (script, keys), seen, pressed in zip(players, readings, actions):
            state = read_state(seen[-1], seen[-2])
            pressed.append(keys(None) if state is None else script(state))
        window = torch.tensor([pressed[-context:] for pressed in actions], device=model.device)
        frames = [
            sampler(model, past[part], window[part], num_steps, context_noise=context_noise, generator=noise[part])
            for part in (slice(start, start + BATCH) for start in range(0, num_games, BATCH))
        ]
        frame = torch.cat(frames)  # (N, 3, H, W)
        past = push(past, frame)
        for seen, reading in zip(readings, read_rooms(frame.transpose(0, 1))):
            seen.append(reading)
        progress((k + 1) / num_frames)
    return [Dream(seen, pressed) for seen, pressed in zip(readings, actions)]


def summary(dreams: Sequence[Dream]) -> dict[str, float]:
    """Dreams in numbers.

    Returns:
        `present_end`: dreams that show exactly one player in the last frame. `one_player`: frames that do. By one-step
        rule agreement: `rule_player`, `rule_player_after_change` (of the key), `rule_grid`, `rule_hud`, `rule_slime`,
        `rule_all`; `rule_hud_events` in the `num_hud_events` steps in which a coin, a key or a door changes the HUD;
        `rule_all_quarter_1` to `…_4`, by time.
    """
    judged = [one.agreement() for one in dreams]
    counts = np.array([[reading.num_players for reading in one.readings] for one in dreams])
    found = {"present_end": float((counts[:, -1] == 1).mean()), "one_player": float((counts == 1).mean())}
    parts = {"player": "player", "grid": "tiles", "hud": "hud", "slime": "slime", "all": "all"}
    found |= {f"rule_{name}": float(np.mean([one.rate(part) for one in judged])) for name, part in parts.items()}
    keys = np.array([one.actions for one in dreams])
    player = np.stack([one.player for one in judged])  # (N, T - 2)
    found["rule_player_after_change"] = float(player[keys[:, 1:] != keys[:, :-1]].mean())
    chosen = np.array([[any(e in HUD_EVENTS for e in names) for names in one.events] for one in judged])
    hud = np.stack([one.hud for one in judged])
    found["num_hud_events"] = float(chosen.sum())
    found["rule_hud_events"] = float(hud[chosen].mean()) if chosen.any() else 0.0
    every = np.stack([one.all for one in judged])
    for number, part in enumerate(np.array_split(every, 4, axis=1), start=1):
        found[f"rule_all_quarter_{number}"] = float(part.mean())
    return found
