"""One object per exercise that calls the learner's code as its docstring promises, and judges what comes back.

    motion = Call("motion_score", takes={"clip": "... c t h w"}, gives=tensor("..."))

    motion(lab, clip, data_range=2.0).near(truth, mistakes={"the signs cancel: take absolute values": signed})

A call has three steps that are kept apart: the test draws inputs, `perform` calls the answer on copies of them, and
what came back is checked and judged by code that the answer never saw. Checked each time, first of all, is that the
inputs are as they were; then type, shape, dtype, device and finiteness.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np
import torch

from common.course.checking.plain_values import require_plain
from common.course.errors import AnswerKeyUsed
from common.course.graders import comparing
from common.course.graders.inputs import Handed, copied, unchanged
from common.course.graders.kinds import Kind, Mapped, Record, Shaped, bind_axes, leaves
from common.course.graders.wording import brief, call_text


@dataclass
class Reply:
    """What a call gave: a value, or the exception that it ended with. `given` are the copies that the answer got.

    `replaced` says by name what it did to inputs of which there is no copy, such as a model or a file.
    """

    given: dict
    value: object = None
    error: Exception | None = None
    replaced: dict = field(default_factory=dict)


def perform(function: Callable, arguments: Mapping[str, object], positional: int) -> Reply:
    """Call an answer on copies of its inputs. An answer that is not written yet keeps its own status.

    Args:
        function: the answer.
        arguments: parameter name to value, in order.
        positional: how many of them are passed by position.
    """
    reply = Reply({name: copied(value) for name, value in arguments.items()})
    names, handed = list(reply.given), Handed(reply.given)
    grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    try:
        reply.value = function(
            *(reply.given[name] for name in names[:positional]),
            **{name: reply.given[name] for name in names[positional:]},
        )
    except (NotImplementedError, AnswerKeyUsed):
        raise
    except Exception as error:
        reply.error = error
    reply.replaced = handed.replaced()
    left_on, left_dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    torch.set_grad_enabled(grad)
    torch.set_default_dtype(dtype)
    if reply.error is None and left_on != grad:
        reply.error = SideEffect("gradients are switched off after the call: use `with torch.no_grad():`")
    elif reply.error is None and left_dtype != dtype:
        reply.error = SideEffect("the default dtype has changed after the call")
    return reply


class SideEffect(Exception):
    """A call left the process other than it was."""


@dataclass(frozen=True)
class Call:
    """How an exercise is called, and what it gives.

    Args:
        name: the exercise's function, or what an object's call is written as ("cell").
        takes: parameter name to its named axes, such as `{"clip": "... c t h w"}`.
        gives: the kind of value that comes back (`kinds`).
        sizes: called with the arguments by name; gives sizes of axes that no input has.
        changes: inputs that the answer is meant to change.
        fresh: the result must share no memory with the inputs.
        parameters: the parameter names, where the first arguments have no names of their own in `takes`.
    """

    name: str
    takes: Mapping[str, str] = field(default_factory=dict)
    gives: Kind = field(default_factory=Kind)
    sizes: Callable[[dict], dict] | None = None
    changes: tuple[str, ...] = ()
    fresh: bool = False
    parameters: tuple[str, ...] = ()

    def __call__(self, where, *args, **kwargs) -> "Answer":
        """Call the answer: `where` is the learner's module, or the function or object itself.

        Raises:
            AssertionError: it crashed, changed its inputs, or gave a value of another kind.
        """
        function, arguments = self._bound(where, args, kwargs)
        said = call_text(self.name, arguments, frozenset(list(arguments)[len(args) :]))
        reply = perform(function, arguments, len(args))
        if isinstance(reply.error, SideEffect):
            raise AssertionError(f"{said}: {reply.error}")
        if reply.error is not None:
            raise crash(said, reply.error) from reply.error
        require_plain(reply.value, said)
        for name in reply.replaced.keys() - set(self.changes):
            raise AssertionError(f"{said} {reply.replaced[name]}")
        for name, before in arguments.items():
            if name not in self.changes and not unchanged(before, reply.given[name]):
                raise AssertionError(f"{said} changed the {name} that it was given: work on a copy")
        sizes = self.sizes_of(arguments)
        source = next((v for v in arguments.values() if isinstance(v, torch.Tensor | np.ndarray)), None)
        if isinstance(self.gives, Kind):
            self.gives.check(said, reply.value, sizes, source)
        if self.fresh:
            _check_fresh(said, leaves(self.gives, reply.value), reply.given)
        return Answer(self, said, reply.value, reply.given, self.gives)

    def refuses(self, where, *args, names=None, error: type | tuple = ValueError, because: str = "", **kwargs) -> None:
        """The call must raise `error`.

        Args:
            where: the learner's module, or the function or object itself.
            args, kwargs: the call.
            names: text that the message must hold. Give it only where the docstring says that the message names it.
            error: the exception, `ValueError` unless the docstring says otherwise.
            because: what is wrong with these inputs, where the call alone does not show it.

        Raises:
            AssertionError: it gave a value, or raised something else.
        """
        function, arguments = self._bound(where, args, kwargs)
        said = call_text(self.name, arguments, frozenset(list(arguments)[len(args) :]))
        asked = " or ".join(e.__name__ for e in (error if isinstance(error, tuple) else (error,)))
        why = f". {because[0].upper()}{because[1:]}" if because else ""
        reply = perform(function, arguments, len(args))
        if reply.error is None:
            raise AssertionError(f"{said} should raise {asked}, and it returned {brief(reply.value)}{why}")
        if not isinstance(reply.error, error):
            kind = type(reply.error).__name__
            text = f"{said} should raise {asked}, and it raises {kind}: {reply.error}{why}"
            raise AssertionError(text) from reply.error
        if names is not None and str(names) not in str(reply.error):
            raise AssertionError(f"{said} raises {asked}({str(reply.error)!r}), which does not name {names}")

    def table(
        self,
        where,
        rows: Sequence[tuple],
        truth: Callable,
        mistakes: Mapping[str, Callable] | None = None,
        *,
        part: str | None = None,
        because: str = "",
        tolerance: float = 1e-5,
    ) -> list["Answer"]:
        """Several calls judged together: a mistake is named only where it explains every one of them.

        Args:
            where: the learner's module, or the function or object itself.
            rows: the arguments of each call. A dict at the end of a row holds keyword arguments.
            truth: called with the same arguments, it gives what the answer must be.
            mistakes: message to a function of the same arguments that makes this mistake.
            part: judge this part of a `record`; `truth` and `mistakes` give it alone.
            because: what to say where no mistake explains all rows.
            tolerance: as in `Answer.near`; 0 for exactly equal.

        Returns:
            the answers, all of them right.
        """
        split = [(row[:-1], row[-1]) if row and isinstance(row[-1], dict) else (row, {}) for row in rows]
        answers = [self(where, *args, **kwargs) for args, kwargs in split]
        answers = answers if part is None else [answer[part] for answer in answers]
        wanted = [truth(*args, **kwargs) for args, kwargs in split]
        wrong = [i for i in range(len(rows)) if not comparing.same(answers[i].value, wanted[i], tolerance)]
        for message, mistake in (mistakes or {}).items() if wrong else ():
            made = (mistake(*args, **kwargs) for args, kwargs in split)
            if all(comparing.same(a.value, value, max(tolerance, 1e-9)) for a, value in zip(answers, made)):
                raise AssertionError(f"{answers[wrong[0]].said}: {message}")
        for i in wrong[:1]:
            answers[i].near(wanted[i], tolerance=tolerance, because=because)
        return answers

    def sizes_of(self, arguments: Mapping[str, object]) -> dict:
        """Axis name to size, from the inputs' shapes."""
        sizes: dict = {}
        for name, pattern in self.takes.items():
            value = arguments.get(name)
            if hasattr(value, "shape"):
                sizes = bind_axes(pattern, tuple(value.shape)) | sizes
            elif isinstance(value, list | tuple) and len(pattern.split()) == 1:
                sizes = {pattern: len(value)} | sizes
        return sizes | (self.sizes(dict(arguments)) if self.sizes else {})

    def _bound(self, where, args, kwargs) -> tuple[Callable, dict]:
        """The function, and its arguments by the names that the docstring gives them."""
        function = where if is_answer(where) else getattr(where, self.name)
        names = self.parameters or parameter_names(function)
        if not set(self.takes) - set(kwargs) <= set(names):  # an answer may name its parameters as it likes
            names = tuple(self.takes)
        names = [*names, *(f"argument {i + 1}" for i in range(len(names), len(args)))]
        return function, dict(zip(names, args)) | kwargs


def is_answer(where) -> bool:
    """Whether this is a function or a callable object, and not a module that holds one."""
    return callable(where) and not isinstance(where, ModuleType)


def parameter_names(function: Callable) -> tuple[str, ...]:
    """The names of a function's positional parameters."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(p.name for p in parameters if p.kind in positional)


def crash(said: str, error: Exception) -> AssertionError:
    """An answer that crashes is a wrong answer: the message names the crash."""
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return AssertionError(f"{said} should give an answer, but your code raises {reason}")


def attempt(said: str, function: Callable, *args, **kwargs):
    """`function(*args, **kwargs)` where no `Call` fits: a crash fails the test and is named.

    Args:
        said: the call as the learner would type it.
    """
    try:
        value = function(*args, **kwargs)
    except (NotImplementedError, AnswerKeyUsed):
        raise
    except Exception as error:
        raise crash(said, error) from error
    require_plain(value, said)
    return value


def _check_fresh(said: str, results: list, given: Mapping[str, object]) -> None:
    for name, value in given.items():
        for result in results:
            if _shares_memory(result, value):
                raise AssertionError(f"{said} shares memory with {name}: changing one would change the other")


def _shares_memory(a, b) -> bool:
    def memory(value):
        if isinstance(value, torch.Tensor):
            return None if value.is_meta or value.numel() == 0 else value.detach().cpu().numpy()
        return value if isinstance(value, np.ndarray) else None

    a, b = memory(a), memory(b)
    return a is not None and b is not None and np.may_share_memory(a, b)


@dataclass
class Answer:
    """What a call gave, checked for its kind. `given` are the inputs that the answer got, by name."""

    call: Call
    said: str
    value: object
    given: dict
    kind: Kind

    def __getitem__(self, part: str) -> "Answer":
        """One named part of a `record`, or the value of one key of a `mapping`."""
        assert isinstance(self.kind, Record | Mapped), f"{self.call.name} gives no record and no mapping"
        value = self.kind.take(self.said, self.value, part)
        name = repr(part) if isinstance(self.kind, Mapped) else part
        return Answer(self.call, f"{name} of {self.said}", value, self.given, self.kind.part(part))

    def __iter__(self) -> Iterator["Answer"]:
        """The parts of a `record`, in order."""
        return (self[part] for part in self.kind.parts)

    def __float__(self) -> float:
        return float(self.value)

    def near(self, want, mistakes: Mapping[str, object] | None = None, *, tolerance: float = 1e-5, because: str = ""):
        """The value must be `want`, up to rounding. See `comparing.judge`; returns this answer."""
        axes = self.kind.axes if isinstance(self.kind, Shaped) else None
        comparing.judge(self.said, self.value, want, mistakes, tolerance=tolerance, axes=axes, because=because)
        return self

    def equal(self, want, mistakes: Mapping[str, object] | None = None, *, because: str = ""):
        """The value must be exactly `want`; returns this answer."""
        if isinstance(want, str | bool | None) or isinstance(self.value, str):
            for message, value in (mistakes or {}).items():
                assert self.value == want or self.value != value, f"{self.said}: {message}"
            ending = f". {because[0].upper()}{because[1:]}" if because else ""
            assert self.value == want, f"{self.said} should be {brief(want)}, not {brief(self.value)}{ending}"
            return self
        return self.near(want, mistakes, tolerance=0.0, because=because)

    def gradients(self, want: Mapping[str, torch.Tensor] | None = None, *, of=None, tolerance: float = 1e-4):
        """A gradient must reach each input that asks for one, and be the one in `want` where that is given.

        Args:
            want: parameter name to the true gradient of the summed value.
            of: parameters of a module, by name, beside the inputs.
            tolerance: as in `near`.
        """
        targets = {n: v for n, v in self.given.items() if isinstance(v, torch.Tensor) and v.requires_grad}
        targets |= dict(of or {})
        assert isinstance(self.value, torch.Tensor), f"{self.said} is no tensor, so nothing can be learned from it"
        assert self.value.requires_grad, (
            f"{self.said} carries no gradient: something on the way is detached, rounded or computed in NumPy"
        )
        assert torch.isfinite(self.value).all(), f"{self.said} is not finite"
        found = torch.autograd.grad(self.value.sum(), list(targets.values()), retain_graph=True, allow_unused=True)
        for name, gradient in zip(targets, found):
            wanted = None if want is None else want.get(name)
            if wanted is not None and not wanted.abs().sum():
                continue
            assert gradient is not None and gradient.abs().sum() > 0, (
                f"{self.said}: no gradient reaches {name}, so nothing is learned through it (is something detached?)"
            )
            assert torch.isfinite(gradient).all(), f"{self.said}: the gradient that reaches {name} is not finite"
            if wanted is not None:
                comparing.judge(f"the gradient of {self.said} with respect to {name}", gradient, wanted,
                                tolerance=tolerance)  # fmt: skip
        return self
