"""Test doubles for models, clocks and files while an answer is tested: small, known to the last bit, and watched."""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import torch


def fill(module: torch.nn.Module, seed: int = 0, scale: float = 0.5) -> torch.nn.Module:
    """Give every parameter a random value, gates and biases included: a zero hides what it multiplies."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)
    return module


class Keeps:
    """A test double whose logs only grow: `class Film(Keeps, logs=("seeks",))` and `self.seeks = []` in its `__init__`.

    Reading a log gives a copy. Appending to the copy adds to the log, and whatever else an answer does to it has no
    effect: the log itself is kept elsewhere.
    """

    def __init_subclass__(cls, logs: Sequence[str] = (), **more):
        super().__init_subclass__(**more)
        for name in logs:
            setattr(cls, name, _Log(name))


class _Log:
    """The attribute of a double that is a log. Its entries are in no object that an answer can hold."""

    def __init__(self, name: str):
        self.name, self.entries_of = name, _entries()

    def __get__(self, owner, kind=None):
        if owner is None:
            return None  # of the class: nothing that leads to the entries
        log = self.entries_of(owner)

        def append(entry) -> None:
            log.append(entry)
            list.append(copy, entry)

        copy = _Copy(log)
        copy.append = append  # pyrefly: ignore [bad-assignment]
        return copy

    def __set__(self, owner, value) -> None:
        if self.entries_of(owner, known=True) is not None:
            raise AttributeError(f"{self.name} is a log: it can be read, and it grows by itself")
        self.entries_of(owner)


class _Copy(list):
    """A list that may have attributes."""


def _entries() -> Callable:
    """The entries of each owner, by its identity, made at the first use and gone with the owner."""
    logs: dict[int, list] = {}

    def entries_of(owner, known: bool = False) -> list | None:
        if id(owner) not in logs:
            if known:
                return None
            logs[id(owner)] = []
            weakref.finalize(owner, logs.pop, id(owner), None)
        return logs[id(owner)]

    return entries_of


def forget(owner, name: str) -> None:
    """Empty a log: for graders, between two answers."""
    vars(type(owner))[name].entries_of(owner).clear()


class Affine(Keeps, torch.nn.Module, logs=("calls",)):
    """A model that is one known formula: `gain * x + shift * timestep`, with a call counter.

    Args:
        gain, shift: the formula's numbers, trainable.
    """

    def __init__(self, gain: float = 0.7, shift: float = 0.3):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.tensor(gain))
        self.shift = torch.nn.Parameter(torch.tensor(shift))
        self.calls = []

    def forward(self, x: torch.Tensor, timestep=0.0, *args, **kwargs) -> torch.Tensor:
        """x of any shape; `timestep` one number or one per sample."""
        self.calls.append((x.detach().clone(), timestep, args, kwargs))
        timestep = torch.as_tensor(timestep, dtype=x.dtype, device=x.device)
        return self.gain * x + self.shift * timestep.reshape(-1, *[1] * (x.ndim - 1)) if timestep.ndim else (
            self.gain * x + self.shift * timestep
        )  # fmt: skip


class Posterior:
    """Independent normal distributions `(B, D)`, with all that a `DiagonalGaussian` has."""

    def __init__(self, mean: torch.Tensor, logvar: torch.Tensor):
        self.mean, self.logvar, self.std = mean, logvar, (logvar / 2).exp()

    def sample(self, generator=None) -> torch.Tensor:
        return self.mean + self.std * torch.randn(self.mean.shape, generator=generator)

    def mode(self) -> torch.Tensor:
        return self.mean

    def kl(self) -> torch.Tensor:
        return 0.5 * (self.mean**2 + self.std**2 - 1 - self.logvar).sum(dim=1)


class MatrixCoder(torch.nn.Module):
    """A variational autoencoder that is two matrices, `inside` and `outside`; it encodes and decodes as in diffusers.

    Args:
        shape: of one clip.
        num_latents: D.
        seed: of the matrices.
    """

    def __init__(self, shape: tuple[int, ...], num_latents: int, seed: int = 0):
        super().__init__()
        self.shape, count = shape, torch.Size(shape).numel()
        generator = torch.Generator().manual_seed(seed)
        self.inside = torch.nn.Parameter(0.2 * torch.randn(2 * num_latents, count, generator=generator))
        self.outside = torch.nn.Parameter(0.3 * torch.randn(count, num_latents, generator=generator))

    def forward(self, *args, **kwargs):
        raise TypeError("the model itself is not called: use its encode and its decode")

    def encode(self, sample: torch.Tensor):
        """`.latent_dist` of clips `(B, *shape)`."""
        return SimpleNamespace(latent_dist=Posterior(*(sample.flatten(1) @ self.inside.T).chunk(2, dim=1)))

    def decode(self, z: torch.Tensor):
        """`.sample` of latents `(B, D)`."""
        return SimpleNamespace(sample=(z @ self.outside.T).unflatten(1, self.shape))


@dataclass
class Clock(Keeps, logs=("log",)):
    """A clock that moves only when it is told to: `tick` seconds at each look, `advance`, and the tasks that it times.

    Attributes:
        now: the time, in seconds.
        tick: what each look at the clock takes.
        log: what happened, in order: `("clock",)` for a look, `(name, *arguments)` for a call of a task.
    """

    __name__ = "clock"  # as messages call it
    now: float = 100.0
    tick: float = 0.0
    log: list[tuple] = field(default_factory=list)

    def __call__(self) -> float:
        """The time, as `time.perf_counter` gives it."""
        self.log.append(("clock",))
        self.now += self.tick
        return self.now

    @property
    def looks(self) -> int:
        """How often the clock was read."""
        return self.log.count(("clock",))

    @property
    def calls(self) -> list[tuple]:
        """The calls of tasks, in order."""
        return [event for event in self.log if event != ("clock",)]

    def task(self, name: str, *seconds: float, does: Callable | None = None) -> Callable:
        """A function that takes `seconds[k]` by this clock in its call number k; the last of them counts from there on.

        Args:
            name: how the log and messages call it.
            does: called with the same arguments; it gives the result.
        """
        left = list(seconds)

        def task(*args):
            self.log.append((name, *args))
            self.now += left.pop(0) if len(left) > 1 else left[0]
            return does(*args) if does else None

        task.__name__ = name
        return task

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def install(self, monkeypatch) -> "Clock":
        """Put this clock in the place of every clock that the `time` module has."""
        for name in ("perf_counter", "time", "monotonic", "process_time"):
            monkeypatch.setattr(f"time.{name}", self)
            monkeypatch.setattr(f"time.{name}_ns", lambda: round(self() * 1e9))
        return self


@dataclass
class Recorder(Keeps, logs=("calls",)):
    """A callable that remembers how it was called, and does what `does` does."""

    __name__ = property(lambda self: getattr(self.does, "__name__", "recorder"))  # as messages call it
    does: object = None
    calls: list[tuple[tuple, dict]] = field(default_factory=list)

    def __call__(self, *args, **kwargs):
        self.calls.append((args, kwargs))
        return self.does(*args, **kwargs) if callable(self.does) else self.does
