"""A world model that is one formula, its denoiser in double precision, and plays with events: for labs 09.x."""

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from common.course.graders.stand_ins import Keeps
from common.course.graders.values import generators, noise, uniform, whole
from common.data.arcade import Rooms, mixed_player, play
from common.evaluation.arcade_reader import RoomsReading

SIGMA_MIN, RHO = 0.002, 7.0


class FormulaWorld(Keeps, torch.nn.Module, logs=("calls",)):
    """Stands for a `WorldUNet`: every past frame, key at its place and level has a weight of its own in what comes out.

    Args:
        seed: of the weights.
        context: K.
        num_actions: A.
        sigma_data, sigma_max: of the config.

    Attributes:
        calls: c_noise, past and context noise of every call, in double precision.
    """

    def __init__(self, seed: int, context: int, num_actions: int, sigma_data: float = 0.8, sigma_max: float = 4.0):
        super().__init__()
        config = {"sigma_data": sigma_data, "sigma_max": sigma_max, "context": context, "num_actions": num_actions}
        self.config = SimpleNamespace(**config)
        self.gain = uniform(seed, context, low=0.6, high=1.1) * (-1) ** torch.arange(context)
        self.key = noise(seed + 1, context, num_actions, scale=0.5)
        self.calls = []

    def forward(self, sample, c_noise, past, actions, context_noise):
        """As `WorldUNet.forward`; what does not fit is said in words."""
        b, k = len(sample), self.config.context
        due = {"c_noise": (b,), "context_noise": (b,), "actions": (b, k)}
        due["past"] = (b, sample.shape[1], k, *sample.shape[2:])
        given = {"c_noise": c_noise, "context_noise": context_noise, "actions": actions, "past": past}
        for name, shape in due.items():
            got = tuple(given[name].shape)
            assert got == shape, f"the network's {name} should have the shape {shape}, not {got}"
        assert actions.dtype == torch.int64, f"the network takes int64 actions, not {actions.dtype}"
        self.calls.append(tuple(x.detach().double() for x in (c_noise, past, context_noise)))
        told = self.key[torch.arange(k), actions].sum(dim=1) + 0.9 * context_noise + 0.6 * c_noise
        return 0.3 * sample + (past * self.gain[:, None, None]).sum(dim=2) + told[:, None, None, None]


def begun(seed: int, batch: int, channels: int, context: int, height: int, width: int, num_actions: int):
    """A world, a past `(B, C, K, H, W)` in [-1, 1] and its actions `(B, K)`."""
    past = uniform(seed + 2, batch, channels, context, height, width)
    return FormulaWorld(seed, context, num_actions), past, keys(seed + 3, batch, context, num_actions)


def keys(seed: int, batch: int, count: int, num_actions: int) -> torch.Tensor:
    """Random actions, int64 `(B, count)`."""
    return whole(seed, batch, count, below=num_actions)


def draw(size, source) -> torch.Tensor:
    """Noise of one generator, or of one per sample."""
    if isinstance(source, list):
        return torch.cat([torch.randn((1, *size[1:]), generator=one) for one in source])
    return torch.randn(size, generator=source)


def karras(num_steps: int, sigma_max: float, rho: float = RHO) -> list[float]:
    """Karras' levels (arXiv:2206.00364, eq. 5) of `num_steps` steps, of which the last goes to 0."""
    high, low = sigma_max ** (1 / rho), SIGMA_MIN ** (1 / rho)
    return [(high + k / num_steps * (low - high)) ** rho for k in range(num_steps)] + [0.0]


def denoised(world, x, sigma: float, past, actions, level) -> torch.Tensor:
    """EDM's denoiser around the network, in double precision."""
    data, variance = world.config.sigma_data, sigma**2 + world.config.sigma_data**2
    c_noise = torch.full((len(x),), sigma, dtype=torch.float64).log() / 4
    raw = world(x / variance**0.5, c_noise, past, actions, level)
    return data**2 / variance * x + sigma * data / variance**0.5 * raw


def quantized(x: torch.Tensor) -> torch.Tensor:
    """The nearest values that pixels can have, in [-1, 1]."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


def seeded(function):
    """`sample_next` with a seed in the place of a generator: every call has a fresh one."""

    def call(model, past, actions, num_steps, context_noise, seed, eps=None):
        options = {"context_noise": context_noise, "generator": generators(seed), "eps": eps}
        return function(model, past, actions, num_steps, **options)

    return call


def rolled(function):
    """`rollout` likewise, and its frames in one tensor `(B, N, C, H, W)`."""

    def call(model, past, actions, num_steps, context_noise, seed):
        options = {"context_noise": context_noise, "generator": generators(seed)}
        frames = list(function(model, past, actions, num_steps, **options))
        right = all(isinstance(frame, torch.Tensor) for frame in frames)
        assert right, "rollout(…) yields tensors, one per frame"
        return torch.stack(frames, dim=1) if frames else torch.zeros(0)

    return call


def arcade(world: FormulaWorld) -> SimpleNamespace:
    """A `WorldModel` of this network, as far as a session needs one."""

    def checked(action):
        if not 0 <= action < world.config.num_actions:
            raise ValueError(f"there are {world.config.num_actions} actions, got {action}")
        return int(action)

    return SimpleNamespace(model=world, checked=checked, **vars(world.config))


def sitting(seed: int, context: int, num_actions: int, num_frames: int, height: int = 4, width: int = 6):
    """What a session begins with: a world, a past of one game, the actions in it, and those to come."""
    world, past, _ = begun(seed, 1, 3, context, height, width, num_actions)
    pressed = keys(seed + 5, 1, context - 1 + num_frames, num_actions)[0]
    return world, quantized(past), pressed[: context - 1], pressed[context - 1 :]


def stepped(session_class):
    """A session's frames for some keys, in [-1, 1]: `(N, H, W, C)`."""

    def call(model, past, before, keys, num_steps, context_noise, seed):
        session = session_class(arcade(model), past, before.tolist(), seed, num_steps, context_noise)
        frames = []
        for key in keys.tolist():
            frame = session.step(key)
            right = isinstance(frame, np.ndarray) and frame.dtype == np.uint8
            assert right, "step(action) gives a uint8 array (H, W, 3)"
            assert np.array_equal(frame, session.frame), "step(action) gives what `frame` shows afterwards"
            frames.append(frame)
        return torch.from_numpy(np.stack(frames)) / 127.5 - 1

    return call


def seen(state) -> RoomsReading:
    """What an exact reader sees of a state of `rooms`."""
    slime = state.slime and state.slime[:2]
    return RoomsReading(state.tiles, (state.x, state.y), 1, 1.0, slime, state.has_key, state.coins)


@cache
def eventful(seed: int, length: int) -> tuple[tuple, tuple]:
    """A play of `rooms` with a key, coins, a door and a slime: what is seen in its frames, and its actions."""
    game: Any = Rooms()
    for number in range(seed, seed + 200):
        made = play(game, number, length, mixed_player("rooms"), states=True)
        names = {name for step in made.events[1:] for name in step}
        if {"door", "coin", "key"} <= names and sum(state.slime is not None for state in made.states) > 10:
            return tuple(map(seen, made.states)), tuple(made.actions.tolist())
    raise AssertionError(f"no play of {length} frames from seed {seed} on has a door, a coin and a key")
