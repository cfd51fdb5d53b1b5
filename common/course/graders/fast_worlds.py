"""Clocks and tasks made of numbers, a FiLM layer with given weights, a denoiser that is a formula: for lab 09.5."""

import itertools

import numpy as np
import torch
from torch import nn

from common.course.graders import worlds
from common.course.graders.kinds import instance
from common.course.graders.stand_ins import Keeps
from common.course.graders.values import noise, uniform


class Machine(Keeps, logs=("log",)):
    """Two clocks that move only while a task runs, and a log of looks, tasks and their numbers of threads."""

    def __init__(self):
        self.log, self.wall, self.cpu = [], 50.0, 7.0

    def clocks(self) -> dict:
        """The two clocks, as `measure_latency` takes them."""
        return {"clock": Look(self, "wall"), "cpu_clock": Look(self, "cpu")}

    def tasks(self, wall, cpu, fails: int = -1) -> dict:
        """Tasks by name, whose calls take these seconds, `(tasks, calls)`; in call number `fails` they raise."""
        return {f"task {k}": Task(self, f"task {k}", *both, fails) for k, both in enumerate(zip(wall, cpu))}


class Look:
    """One of the machine's clocks."""

    def __init__(self, machine: Machine, which: str):
        self.machine, self.which = machine, which

    def __call__(self) -> float:
        self.machine.log.append((self.which, 0))
        return getattr(self.machine, self.which)


class Task:
    """A task whose call number k takes `wall[k]` and `cpu[k]` seconds; the last ones count from there on."""

    def __init__(self, machine: Machine, name: str, wall, cpu, fails: int = -1):
        self.machine, self.name, self.times, self.fails = machine, name, list(zip(wall, cpu)), fails

    def __call__(self):
        count = len([entry for entry in self.machine.log if entry[0] == self.name])
        self.machine.log.append((self.name, torch.get_num_threads()))
        if count == self.fails:
            raise KeyError("the grader's task raises this")
        wall, cpu = self.times[min(count, len(self.times) - 1)]
        self.machine.wall, self.machine.cpu = self.machine.wall + float(wall), self.machine.cpu + float(cpu)


class Waiting:
    """`measure_latency` whose tasks are given already, so that a call is its numbers alone."""

    def __init__(self, function, tasks):
        self.function, self.tasks = function, tasks

    def __call__(self, **options):
        return self.function(self.tasks, **options)


def timed(function):
    """`measure_latency` of seconds: those of each task's calls, `(tasks, calls)`, by both clocks."""

    def call(wall, cpu, rounds=None, warm_up=None):
        machine = Machine()
        tasks, options = machine.tasks(wall, cpu), {"rounds": rounds, "warm_up": warm_up}
        given = {name: value for name, value in options.items() if value is not None}
        found = function(tasks, **given, **machine.clocks())
        assert isinstance(found, dict) and list(found) == list(tasks), "the result has the tasks' names, in their order"
        return np.array([[float(part) for part in (one.median, one.p95, one.cpu)] for one in found.values()])

    return call


def film_of(gamma, beta, matrix, bias, groups: int) -> tuple[nn.GroupNorm, nn.Linear]:
    """A group norm and a FiLM layer with these weights, in their dtypes."""
    norm, film = nn.GroupNorm(groups, len(gamma)).to(gamma.dtype), nn.Linear(*reversed(matrix.shape)).to(matrix.dtype)
    for parameter, value in zip((norm.weight, norm.bias, film.weight, film.bias), (gamma, beta, matrix, bias)):
        parameter.data.copy_(value)
    return norm, film


def folded(function):
    """`fold_film` of weights: the weights of the layer that it gives."""

    def call(gamma, beta, matrix, bias, groups):
        norm, film = film_of(gamma, beta, matrix, bias, groups)
        layer = function(norm, film)
        instance(nn.Linear, called="an nn.Linear").check("fold_film(norm, film)", layer, {})
        assert layer.bias is not None, "the layer of fold_film(norm, film) has no bias"
        names = ("norm.weight", "norm.bias", "film.weight", "film.bias")
        parts = (*norm.parameters(), *film.parameters())
        for name, part, value in zip(names, parts, (gamma, beta, matrix, bias)):
            assert torch.equal(part.detach(), value), f"fold_film(norm, film) changed {name}"
            assert part.requires_grad, f"fold_film(norm, film) switched off the requires_grad of {name}"
            apart = part.data_ptr() not in {own.data_ptr() for own in layer.parameters()}
            assert apart, f"the layer shares memory with {name}: make a new one"
        return layer.weight.detach(), layer.bias.detach()

    return call


class Estimate(Keeps, nn.Module, logs=("sigmas",)):
    """A denoiser that is one formula of x and sigma with two weights. It keeps the levels that it was asked at."""

    def __init__(self, gain: float, shift: float):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain, dtype=torch.float64))
        self.shift = nn.Parameter(torch.tensor(shift, dtype=torch.float64))
        self.sigmas = []

    def forward(self, x, sigma):
        """As a student, a target or a teacher is called."""
        right = isinstance(sigma, torch.Tensor) and sigma.shape == (len(x),)
        assert right, f"a denoiser takes its level as a tensor ({len(x)},), one per sample"
        self.sigmas.append(sigma.detach().double())
        return self.plain(x, sigma.reshape(-1, *[1] * (x.ndim - 1))).to(x.dtype)

    def plain(self, x, sigma):
        """The formula, in double precision, with no log."""
        return self.gain * x.double() / (1 + sigma) + self.shift * torch.sin(3 * x.double()) + 0.1 * sigma


def nets() -> tuple[Estimate, Estimate, Estimate]:
    """A student, a target and a teacher, which differ."""
    return Estimate(0.6, 0.3), Estimate(0.5, -0.2), Estimate(0.8, 0.2)


def jumped(teacher, x, sigmas):
    """The teacher's way, by Euler's steps in double precision."""
    x = x.double()
    for sigma, after in itertools.pairwise(sigmas.double().tolist()):
        x = x + (after - sigma) * (x - teacher.plain(x, sigma)) / sigma
    return x.detach()


def started(seed):
    """Samples at the first of some levels."""
    levels = ((5.0, 1.3, 0.2, 0.0), (3.0, 0.5), (4.0, 2.0, 0.004), (2.0, 0.0), (1.5, 1.1, 0.8, 0.3, 0.1, 0.0))
    sizes = ((3, 2, 4, 5), (2, 3, 5, 4), (4, 6), (2, 1, 3, 4), (3, 2, 2, 3, 5))
    return [(sigmas[0] * noise(seed + k, *size), torch.tensor(sigmas)) for k, (sigmas, size) in
            enumerate(zip(levels, sizes))]  # fmt: skip


def begun(seed, batch, channels, context, height, width, chosen):
    """A world, 2 K frames, their actions, noise, and who is chosen."""
    world = worlds.FormulaWorld(seed, context, 5)
    clip = worlds.quantized(uniform(seed + 4, batch, channels, 2 * context, height, width))
    actions = worlds.keys(seed + 5, batch, 2 * context - 1, 5)
    return world, clip, actions, noise(seed + 6, batch, channels, context, height, width), torch.tensor(list(chosen))


class Part:
    """One part of what an oracle gives."""

    def __init__(self, oracle, place):
        self.oracle, self.place = oracle, place

    def __call__(self, *args, **how):
        return self.oracle(*args, **how)[self.place]


class Pair:
    """`frame_pacing` as an array of its two numbers."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *given):
        found = self.function(*given)
        return np.array([float(found.fps), float(found.late)])
