"""What keeps a dream of `rooms` together: long dreams with one thing broken in each, judged by the rules of the game.

    found = study(model, num_games=2, num_frames=20, progress=...)
    found["arms"]["as shipped"]["rule_all"]

The arms differ in their sampler alone. All begin with the same real frames, and the scripted player decides by what it
sees in each.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from common.data.arcade import Rooms, mixed_player, record
from common.evaluation.arcade_rules import PARTS
from common.evaluation.rooms_engine import rooms_engine
from common.streaming.world import sample_next
from common.zoo.arcade_rooms.measures import BATCH, CONTEXT_NOISE, NUM_STEPS, Dream, dream, summary

SHIPPED = "as shipped"
WITHOUT_MODEL = ("the game itself", "last frame again")


def samplers() -> dict[str, Callable]:
    """The arms by name, each called like `sample_next`. One has a memory: take fresh ones for every study."""
    return {
        WITHOUT_MODEL[0]: lambda model, past, actions, *_, **__: rooms_engine(past, actions),
        SHIPPED: sample_next,
        "three steps": three_steps,
        "no noise on the past": clean_past,
        "frozen past": FrozenPast(),
        "shuffled keys": shuffled_keys,
        WITHOUT_MODEL[1]: lambda model, past, actions, *_, **__: past[:, :, -1],
    }


def three_steps(model, past, actions, num_steps, **options):
    """Three steps in place of one: sharper where the future is open."""
    return sample_next(model, past, actions, 3, **options)


def clean_past(model, past, actions, num_steps, *, context_noise, **options):
    """The model's own frames without noise on them, and the model is told so."""
    return sample_next(model, past, actions, num_steps, context_noise=0.0, **options)


class FrozenPast:
    """The model sees the real frames of the beginning for ever, with the keys of the moment."""

    def __init__(self):
        self.past = None

    def __call__(self, model, past, actions, num_steps, **options):
        """As `sample_next`."""
        self.past = past if self.past is None else self.past
        return sample_next(model, self.past, actions, num_steps, **options)


def shuffled_keys(model, past, actions, num_steps, **options):
    """Each game is told the keys of the next game."""
    return sample_next(model, past, actions.roll(1, dims=0), num_steps, **options)


def squared_error(model, past, actions, num_steps, **options):
    """For a network trained by squared error (stage `squared` of the recipe): its answer to no frame at all."""
    return sample_next(model, past, actions, 1, eps=torch.zeros_like(past[:, :, 0]), **options)


def study(
    model,
    num_games: int = 16,
    num_frames: int = 1000,
    *,
    twins: Mapping[str, tuple] | None = None,
    arms: Sequence[str] | None = None,
    width: int = 50,
    progress: Callable[[float], None] = lambda part: None,
) -> dict:
    """Dreams of every arm, in numbers.

    Args:
        model: a `WorldUNet`, `arcade-rooms` or another.
        num_games: of each arm, 2 to 16.
        num_frames: of each game.
        twins: more arms by name: a model and its sampler.
        arms: names of `samplers()`; None for all.
        width: frames in a bin of the curves.
        progress: called with the part that is done.

    Returns:
        `num_games`, `num_frames`, `width`, and `arms`: by name, what `measures.summary` says and a `curve`, in which
        the four parts, `all` and `one_player` have one rate for each bin of frames.

    Raises:
        ValueError: there are too few or too many games, or no such arm.
    """
    if not 2 <= num_games <= BATCH:
        raise ValueError(f"a study takes 2 to {BATCH} games, got {num_games}")
    chosen = samplers()
    if arms is not None:
        unknown = set(arms) - chosen.keys()
        if unknown:
            raise ValueError(f"there are no arms {', '.join(sorted(unknown))}; there are {', '.join(chosen)}")
        chosen = {name: chosen[name] for name in arms}
    runs = {name: (model, sampler) for name, sampler in chosen.items()} | dict(twins or {})
    context = model.config.context
    plays = record(Rooms("test"), mixed_player("rooms"), num_games, context, window=context, progress=False)
    found = {}
    for number, (name, (net, sampler)) in enumerate(runs.items()):
        dreams = dream(
            net, plays, num_games, num_frames, NUM_STEPS, CONTEXT_NOISE,
            lambda part, number=number: progress((number + part) / len(runs)), sampler,
        )  # fmt: skip
        found[name] = summary(dreams) | {"curve": curve(dreams, width)}
    return {"num_games": num_games, "num_frames": num_frames, "width": width, "arms": found}


def curve(dreams: Sequence[Dream], width: int) -> dict[str, list[float]]:
    """Agreement against time: the mean over dreams and over each `width` frames; a last piece that is shorter counts.

    Returns:
        A list for each of the four parts, for `all` and for `one_player`.
    """
    judged = [one.agreement() for one in dreams]
    rows = {name: np.mean([getattr(one, name) for one in judged], axis=0) for name in (*PARTS, "all")}
    rows["one_player"] = np.mean([[seen.num_players == 1 for seen in one.readings[2:]] for one in dreams], axis=0)
    return {
        name: [round(float(row[first : first + width].mean()), 4) for first in range(0, len(row), width)]
        for name, row in rows.items()
    }
