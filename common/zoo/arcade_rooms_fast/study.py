"""What one step costs and what it is worth: the student beside its teacher, at several numbers of steps, and controls.

found = study({"arcade-rooms-fast, 1 step": (student, 1), "arcade-rooms, 5 steps": (teacher, 5)}, 48, 64, 2, 60)
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn

from common.data.arcade import ActionBatch, Rooms, mixed_player, record
from common.evaluation.latency import Latency, measure_latency
from common.models.folded_world import FoldedWorldUNet
from common.models.world_unet import WorldUNet
from common.pipelines.world import WorldModel
from common.show.curves import COLORS
from common.streaming.world import world_sigmas
from common.training.short_run import short_run
from common.zoo.arcade_rooms.measures import dream, summary
from common.zoo.arcade_rooms.trials import clip_of, script_plays
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
    num_doors: int = 96,
    num_windows: int = 160,
    num_games: int = 8,
    num_frames: int = 150,
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
    found = {}
    for number, (name, (model, num_steps)) in enumerate(arms.items()):
        row = {f"door/{key}": value for key, value in behind_doors(model, behind, num_steps).items()}
        row |= {f"next/{key}": value for key, value in next_frames(model, elsewhere, num_steps).items()}
        if num_games:
            tell = lambda part, number=number: progress((number + part) / len(arms))  # noqa: E731
            judged = summary(dream(model, plays, num_games, num_frames, num_steps, progress=tell))
            row |= {f"dream/{key}": judged[key] for key in DREAMT}
        found[name] = {key: round(value, 4) for key, value in row.items()}
    game = {key: round(value, 4) for key, value in room_quality(behind.clips()[:, :, -1]).items()}
    sizes = {"num_doors": len(behind), "num_windows": len(elsewhere), "num_games": num_games, "num_frames": num_frames}
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


def ladder(name: str, dtype: torch.dtype, fold: Callable | None = None) -> dict[str, Callable]:
    """One call of a world model's network at play, rung by rung: each keeps what those before it have.

    Args:
        name: of shipped weights.
        dtype: half precision, where the processor has it.
        fold: called like `fold_film`; None for that itself.

    Returns:
        Name -> a task, as `measure_latency` takes them.
    """

    def fresh(**how):
        return torch.nn.Module.to(WorldUNet.from_pretrained(name).eval(), **how)

    layout = {"memory_format": torch.channels_last}
    half = layout | {"dtype": dtype}
    folded = FoldedWorldUNet(fresh(**half), fold)
    return {
        "with gradients": Rung(fresh(), torch.enable_grad),
        "inference mode": Rung(fresh(), torch.inference_mode),
        "channels last": Rung(fresh(**layout), torch.inference_mode),
        "half precision": Rung(fresh(**half), torch.inference_mode),
        "folded": Rung(folded, torch.inference_mode),
    }


class Rung:
    """A call of a network on one game."""

    def __init__(self, model, context: Callable):
        frame, keys = torch.zeros(1, 3, 64, 64), torch.zeros(1, CONTEXT, dtype=torch.long)
        past, levels = frame[:, :, None].repeat(1, 1, CONTEXT, 1, 1), torch.full((1,), 0.4)
        self.model, self.context, self.given = model, context, (frame, levels, past, keys, levels)

    def __call__(self) -> torch.Tensor:
        """The network's answer."""
        with self.context():
            return self.model(*self.given)


def through_door(world: WorldModel, windows: ActionBatch, number: int, num_frames: int, num_steps: int = 1):
    """A dream that begins with four real frames before a door and goes through it; then the scripted player plays.

    Args:
        world: whose dream it is.
        windows: as from `door_windows`.
        number: of one of them.
        num_frames: after the door.
        num_steps: per frame.

    Returns:
        The four frames and the dream, `(3, 5 + num_frames, 64, 64)`.
    """
    frames, actions = windows.pixels[number].permute(1, 2, 3, 0)[:-1].numpy(), windows.actions[number].tolist()
    session = world.start(frames, actions[:-1], number, num_steps)
    session.step(actions[-1])
    return clip_of([*frames, *script_plays(session, num_frames)])


def paper_world(x: torch.Tensor, sigma: torch.Tensor, spread: float = 0.05) -> torch.Tensor:
    """The denoiser of a world on paper, where the next frame is one number: -1 or 1, with a little spread.

    Args:
        x: noisy numbers, `(N, 1)`.
        sigma: their level, `(N,)`.
        spread: standard deviation around -1 and 1.

    Returns:
        The mean of the number, given the noisy one.
    """
    total = (sigma**2 + spread**2)[:, None]
    return (spread**2 * x + sigma[:, None] ** 2 * torch.tanh(x / total)) / total


def paper_student(compute_loss: Callable, places: torch.Tensor, shared: bool, num_steps: int = 200) -> torch.Tensor:
    """A tiny network, distilled from the teacher's way in the world on paper.

    Args:
        compute_loss: called like `consistency_loss`.
        places: where it is asked in the end, `(N, 1)` at level 5.
        shared: whether student and teacher begin with the same noise.
        num_steps: of training.

    Returns:
        Its answers, `(N, 1)`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
    draws, levels = torch.Generator().manual_seed(0), world_sigmas(20, 5.0)

    def loss_of(step: int) -> torch.Tensor:
        x, other = 5 * torch.randn(2, 256, 1, generator=draws)
        own = x if shared else other
        student = lambda _, sigma: net(own / 5)  # noqa: E731
        return compute_loss(student, student, paper_world, x, levels, 1.0).mean()

    short_run(torch.optim.Adam(net.parameters(), lr=5e-3), loss_of, num_steps, desc="a student on paper")
    return net(places / 5).detach()
