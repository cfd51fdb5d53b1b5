"""What one step costs and what it is worth: the student beside its teacher, at several numbers of steps, and controls.

found = study({"arcade-rooms-fast, 1 step": (student, 1), "arcade-rooms, 5 steps": (teacher, 5)}, 48, 64, 2, 60)
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch

from common.data.arcade import Rooms, mixed_player, record
from common.evaluation.latency import Latency, measure_latency
from common.pipelines.world import WorldModel
from common.show.curves import COLORS
from common.zoo.arcade_rooms.measures import dream, summary
from common.zoo.arcade_rooms_fast.measures import (
    CONTEXT,
    DREAMT,
    behind_doors,
    door_windows,
    next_frames,
    other_windows,
    room_quality,
)


def study(
    arms: Mapping[str, tuple],
    num_doors: int = 192,
    num_windows: int = 320,
    num_games: int = 8,
    num_frames: int = 500,
    progress: Callable[[float], None] = lambda part: None,
) -> dict:
    """Every arm in numbers.

    Args:
        arms: name -> model and number of steps per frame.
        num_doors, num_windows: windows of test plays that end behind a door, and elsewhere.
        num_games, num_frames: of dreams, one after the other judged by the rules.
        progress: called with the part that is done.

    Returns:
        The sizes; `game`, what `room_quality` says of the game's own rooms; `arms`: by name `door/…`, `next/…` and
        `dream/…`, as `measures.measure` has them.
    """
    behind, elsewhere = door_windows(num_doors), other_windows(num_windows)
    plays = record(Rooms("test"), mixed_player("rooms"), num_games, CONTEXT, window=CONTEXT, progress=False)
    due, found = behind.clips()[:, :, -1], {}
    for number, (name, (model, num_steps)) in enumerate(arms.items()):
        row = {f"door/{key}": value for key, value in behind_doors(model, behind, num_steps).items()}
        row |= {f"next/{key}": value for key, value in next_frames(model, elsewhere, num_steps).items()}
        if num_games:
            tell = lambda part, number=number: progress((number + part) / len(arms))  # noqa: E731
            judged = summary(dream(model, plays, num_games, num_frames, num_steps, progress=tell))
            row |= {f"dream/{key}": judged[key] for key in DREAMT}
        found[name] = {key: round(value, 4) for key, value in row.items()}
    game = {key: round(value, 4) for key, value in room_quality(due, due).items()}
    sizes = {"num_doors": len(due), "num_windows": len(elsewhere), "num_games": num_games, "num_frames": num_frames}
    return sizes | {"game": game, "arms": found}


def step_latency(
    worlds: Mapping[str, tuple[WorldModel, int]], measure: Callable | None = None, rounds: int = 20
) -> dict[str, Latency]:
    """How long one frame of a session takes, for several worlds in turns.

    Args:
        worlds: name -> world and number of steps per frame.
        measure: called like `measure_latency`; None for that itself.
        rounds: timed frames of each.
    """
    frames, tasks = np.random.default_rng(0).integers(0, 256, (CONTEXT, 64, 64, 3), dtype=np.uint8), {}
    for name, (world, num_steps) in worlds.items():
        session = world.start(frames, [0] * (CONTEXT - 1), num_steps=num_steps, context_noise=0.3)
        tasks[name] = Frame(session)
    return (measure or measure_latency)(tasks, rounds)


class Frame:
    """One frame of a session per call, with the keys in turns."""

    def __init__(self, session):
        self.session, self.key = session, 0

    def __call__(self) -> None:
        """Let one frame pass."""
        self.key = (self.key + 1) % self.session.world.num_actions
        self.session.step(self.key)


def draw_front(points: Mapping[str, tuple[float, float]], front, title: str, ylabel: str):
    """Cost against quality, a point per arm; those on the Pareto front are full and joined.

    Args:
        points: name -> milliseconds and quality.
        front: bool for each of them, whether it is on the front.
        title, ylabel: of the picture.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7.4, 3.2), layout="constrained")
    best = sorted(point for point, is_best in zip(points.values(), front) if is_best)
    axis.plot(*zip(*best), color="0.7", zorder=0)
    for number, ((name, point), is_best) in enumerate(zip(points.items(), front)):
        color = COLORS[number % len(COLORS)]
        axis.plot(*point, "o", markersize=8, color=color, markerfacecolor=color if is_best else "none", label=name)
    axis.set(xlabel="milliseconds of one core per frame", ylabel=ylabel, xlim=(0, None))
    axis.set_title(title, fontsize=10)
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    plt.close(figure)
    return figure


def two_worlds(num_samples: int = 400, sigma_max: float = 5.0, spread: float = 0.05):
    """A world on paper: the next frame is one number, -1 or 1 (with a little spread). Its denoiser is a formula.

    Returns:
        The denoiser `(x, sigma) -> ` estimate of x0, and noisy samples at `sigma_max`, evenly placed, `(N, 1)`.
    """

    def denoiser(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        total = (sigma**2 + spread**2)[:, None]
        return (spread**2 * x + sigma[:, None] ** 2 * torch.tanh(x / total)) / total

    return denoiser, torch.linspace(-2.5, 2.5, num_samples)[:, None] * sigma_max
