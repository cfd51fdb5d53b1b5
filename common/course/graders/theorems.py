"""Statements that hold for every right answer, whatever its code: locality, batching, order, streaming, precision.

Each takes a `Call`, the learner's module (or the function itself) and inputs, and raises `AssertionError` in the
learner's terms.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from common.course.graders.calls import Answer, Call
from common.course.graders.comparing import judge, plain, same
from common.course.graders.kinds import Record, Shaped, leaves


def owes(
    call: Call,
    where,
    *args,
    truth: Callable | None = None,
    other: Sequence | None = None,
    views: bool = True,
    batch_of_one: bool = True,
    dtypes: Sequence[torch.dtype] = (),
    meta: bool = False,
    iterables: Sequence[str] = (),
    tolerance: float = 1e-5,
    **kwargs,
) -> Answer:
    """What every function owes: equal values give equal answers, whatever their memory layout and the calls before.

    Args:
        call, where, args, kwargs: a call that is right in itself.
        truth: called with the same arguments; what the answer must be.
        other: other arguments for a call in between. Without them, float tensors are turned around.
        views: try values that are not contiguous in memory.
        batch_of_one: where the first input has an axis `b`, try its first sample alone.
        dtypes: further input dtypes that the docstring promises; the result is compared at their precision.
        meta: try the device `meta`, where the docstring promises any device and no value is read.
        iterables: parameters for which the docstring promises any iterable: a tuple and a generator are tried.
        tolerance: how far a number may be off.
    """
    first = call(where, *args, **kwargs)
    if truth is not None:
        first.near(truth(*args, **kwargs), tolerance=tolerance)
    kept = [plain(leaf) for leaf in leaves(first.kind, first.value)] or [first.value]

    def again(changed_args, changed_kwargs, fault: str, precision: float = tolerance) -> None:
        answer = call(where, *changed_args, **changed_kwargs)
        now = [plain(leaf) for leaf in leaves(answer.kind, answer.value)] or [answer.value]
        for before, after in zip(kept, now):
            right = same(after, before, precision) if _numeric(before) else after == before
            assert right, f"{first.said}: {fault}"

    call(where, *(other if other is not None else [_turned(value) for value in args]), **kwargs)
    again(args, kwargs, "a second call with the same inputs gives another answer: something is kept from call to call")
    if views:
        for layout in (_strided, _reversed):
            if any(layout(value) is not value for value in (*args, *kwargs.values())):
                changed = [layout(value) for value in args], {name: layout(value) for name, value in kwargs.items()}
                again(*changed, "the same values as a view that is not contiguous in memory give another answer")
    for name in iterables:
        for kind, fault in ((tuple, "a tuple"), (iter, "an iterator")):
            again(*_replaced(call, where, args, kwargs, name, kind), f"{name} as {fault} gives another answer")
    if batch_of_one:
        _sample_alone(call, where, args, kwargs, first, tolerance)
    for dtype in dtypes:
        precision = max(tolerance, 4 * torch.finfo(dtype).eps) if dtype.is_floating_point else tolerance
        changed = [_as_dtype(value, dtype) for value in args], {n: _as_dtype(v, dtype) for n, v in kwargs.items()}
        again(*changed, f"with inputs in {str(dtype).removeprefix('torch.')} the answer differs", precision)
    if meta:
        changed = [_on_meta(value) for value in args], {name: _on_meta(value) for name, value in kwargs.items()}
        try:
            call(where, *changed[0], **changed[1])
        except (NotImplementedError, RuntimeError) as error:  # torch's words for tensors of two devices in one place
            words = str(error).splitlines()[0][:120]
            raise AssertionError(
                f"{first.said}: with its inputs on another device it stops ({words}). Make new tensors on the inputs' "
                "device"
            ) from error
    return first


def _numeric(value) -> bool:
    """Whether a value is made of numbers, and so may differ by rounding."""
    try:
        return plain(value).dtype.kind in "fc"
    except (TypeError, ValueError):
        return False


def _turned(value):
    return value.flip(-1) if isinstance(value, torch.Tensor) and value.is_floating_point() and value.ndim else value


def _strided(value):
    """The same values, the axes in reverse order in memory and with gaps: no two axes can be merged."""
    if type(value) is tuple and any(isinstance(item, torch.Tensor) for item in value):
        return tuple(_strided(item) for item in value)
    if isinstance(value, torch.Tensor) and value.ndim and not value.is_meta and not value.requires_grad:
        inner = value.permute(*reversed(range(value.ndim)))
        return torch.stack([inner, torch.zeros_like(inner)], dim=-1)[..., 0].permute(*reversed(range(value.ndim)))
    if isinstance(value, np.ndarray) and value.ndim:
        inner = value.transpose()
        return np.stack([inner, np.zeros_like(inner)], axis=-1)[..., 0].transpose()
    return value


def _reversed(value):
    """The same values, the last axis backwards in memory: only NumPy has negative strides."""
    return np.ascontiguousarray(value[..., ::-1])[..., ::-1] if isinstance(value, np.ndarray) and value.ndim else value


def _as_dtype(value, dtype):
    return value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def _on_meta(value):
    return value.to("meta") if isinstance(value, torch.Tensor) else value


def _replaced(call: Call, where, args, kwargs, name: str, kind) -> tuple[list, dict]:
    """The arguments with one of them turned into another kind of iterable."""
    _, bound = call._bound(where, args, kwargs)
    values = {key: kind(value) if key == name else value for key, value in bound.items()}
    names = list(values)
    return [values[key] for key in names[: len(args)]], {key: values[key] for key in names[len(args) :]}


def _sample_alone(call: Call, where, args, kwargs, whole: Answer, tolerance: float) -> None:
    _, bound = call._bound(where, args, kwargs)
    if not any(pattern.split()[:1] == ["b"] and name in bound for name, pattern in call.takes.items()):
        return
    parts = [kind for kind in _shaped(whole.kind) if kind.axes and kind.axes[0] == "b"]
    one = call(where, *_cut(call, bound, len(args), slice(0, 1))[0], **_cut(call, bound, len(args), slice(0, 1))[1])
    if parts and len(parts) == len(leaves(whole.kind, whole.value)):
        for alone, together in zip(leaves(one.kind, one.value), leaves(whole.kind, whole.value)):
            judge(f"{one.said}, sample 0 of a batch alone,", alone, together[:1], tolerance=max(tolerance, 1e-5),
                  because="the same sample among others gives another answer")  # fmt: skip


def _shaped(kind) -> list[Shaped]:
    if isinstance(kind, Record):
        return [shaped for part in kind.parts.values() for shaped in _shaped(part)]
    return [kind] if isinstance(kind, Shaped) else []


def _cut(call: Call, bound: Mapping, positional: int, samples) -> tuple[list, dict]:
    """The arguments with only some samples of every input that has an axis `b` in front."""
    cut = {
        name: value[samples] if call.takes.get(name, "").split()[:1] == ["b"] and hasattr(value, "shape") else value
        for name, value in bound.items()
    }
    names = list(cut)
    return [cut[name] for name in names[:positional]], {name: cut[name] for name in names[positional:]}


def batch_is_samples(call: Call, where, *args, tolerance: float = 1e-5, **kwargs) -> Answer:
    """A batch gives what its samples give one by one. Every input with an axis `b` in front is cut along it."""
    whole = call(where, *args, **kwargs)
    _, bound = call._bound(where, args, kwargs)
    together = leaves(whole.kind, whole.value)
    for b in range(len(together[0])):
        cut_args, cut_kwargs = _cut(call, bound, len(args), slice(b, b + 1))
        alone = call(where, *cut_args, **cut_kwargs)
        for one, many in zip(leaves(alone.kind, alone.value), together):
            assert same(one, many[b : b + 1], tolerance), (
                f"{whole.said}: sample {b} gives another answer among the others than alone: the samples mix"
            )
    return whole


def moves(
    call: Call, where, *args, change: Mapping[str, tuple], along: str, only: Sequence[int], because: str,
    by: float = 1.0, must: Sequence[int] | None = None, tolerance: float = 1e-6, **kwargs,
) -> list[int]:  # fmt: skip
    """Locality: changing one place of an input may move only some places of the result.

    Args:
        call, where, args, kwargs: the call.
        change: parameter name to the index of what is changed, such as `{"clip": (slice(None), slice(None), 3)}`.
        along: the axis of the result that is looked at.
        only: the places along it that may move.
        because: what to say when others do.
        by: how much is added to what is changed.
        must: the places that must move (all of `only`, unless given).

    Returns:
        the places that moved.
    """
    before = call(where, *args, **kwargs)
    _, bound = call._bound(where, args, kwargs)
    for name, index in change.items():
        bound[name] = bound[name].clone() if isinstance(bound[name], torch.Tensor) else bound[name].copy()
        bound[name][index] += by
    names = list(bound)
    after = call(where, *(bound[n] for n in names[: len(args)]), **{n: bound[n] for n in names[len(args) :]})
    off = np.abs(plain(after.value) - plain(before.value))
    axis = before.kind.axes.index(along) - (len(before.kind.axes) if "..." in before.kind.axes else 0)
    off = np.moveaxis(off, axis, 0)
    moved = [i for i in range(len(off)) if off[i].max() > tolerance]
    strays = [i for i in moved if i not in only]
    changed = ", ".join(change)
    assert not strays, f"{before.said}: one place of {changed} was changed, and {along} = {strays} moved: {because}"
    still = [i for i in (only if must is None else must) if i not in moved]
    assert not still, f"{before.said}: one place of {changed} was changed, and {along} = {still} did not move"
    return moved


def permutes(
    call: Call, where, *args, along: str, order: Sequence[int], because: str, tolerance: float = 1e-5, **kwargs
):
    """Equivariance: permuting an axis of the inputs permutes the same axis of the result, and does nothing else."""
    plain_order = call(where, *args, **kwargs)
    _, bound = call._bound(where, args, kwargs)
    for name, pattern in call.takes.items():
        axes = pattern.split()
        if along in axes and name in bound:
            axis = axes.index(along) - (len(axes) if "..." in axes else 0)
            bound[name] = torch.index_select(bound[name], axis % bound[name].ndim, torch.as_tensor(order))
    names = list(bound)
    after = call(where, *(bound[n] for n in names[: len(args)]), **{n: bound[n] for n in names[len(args) :]})
    axes = plain_order.kind.axes
    axis = axes.index(along) - (len(axes) if "..." in axes else 0)
    want = np.take(plain(plain_order.value), order, axis=axis)
    assert same(after.value, want, tolerance), f"{plain_order.said}: {because}"


def streams(whole, parts: Sequence, axis: int, said: str, tolerance: float = 1e-5) -> None:
    """Streaming equals the whole: the pieces that were made one after the other are the result made at once."""
    joined = np.concatenate([plain(part) for part in parts], axis=axis)
    judge(f"{said}, piece by piece,", joined, whole, tolerance=tolerance, because="made at once it is another one")


def round_trip(there: Callable, back: Callable, x, said: str, tolerance: float = 1e-6) -> None:
    """Going there and back gives the input."""
    judge(said, back(there(x)), x, tolerance=tolerance, because="There and back is not where it began")


def computes_in_float32(
    call: Call, where, *args, truth: Callable, dtype=torch.float16, tolerance: float = 2e-6, **kwargs
):
    """From half precision the numbers are computed in float32: the result is that of the inputs' exact values.

    Give inputs whose differences or products are no numbers of `dtype`; `truth` gets them in double precision.
    """
    low = [
        value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value for value in args
    ]
    exact = [
        value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value for value in low
    ]
    answer, want = call(where, *low, **kwargs), truth(*exact, **kwargs)
    because = f"from {str(dtype).removeprefix('torch.')} it is less exact than it could be: convert to float32 first"
    if not same(answer.value, want, tolerance):
        single = [value.float() if isinstance(value, torch.Tensor) and value.dtype == dtype else value for value in low]
        if not same(call(where, *single, **kwargs).value, want, tolerance):  # the fault is another one
            because = ""
    return answer.near(want, tolerance=tolerance, because=because)


def rounds_once(call: Call, where, *args, truth: Callable, dtype=torch.bfloat16, share: float = 0.02, **kwargs):
    """From half precision the numbers are computed in float32 and rounded once, at the end.

    Give enough numbers: at most a `share` of them may differ from `truth`, which gets the inputs' exact values, by a
    last digit. Arithmetic in `dtype` rounds at every step, and misses a good part of them.
    """
    low = [v.to(dtype) if isinstance(v, torch.Tensor) and v.is_floating_point() else v for v in args]
    exact = [v.double() if isinstance(v, torch.Tensor) and v.dtype == dtype else v for v in low]
    answer, want = call(where, *low, **kwargs), truth(*exact, **kwargs).to(dtype)
    missed = (plain(answer.value) != plain(want)).mean()
    assert missed <= share, (
        f"{answer.said}: from {str(dtype).removeprefix('torch.')} {100 * missed:.0f} % of the numbers are off by their "
        "last digits: convert to float32 first, and back at the end"
    )
    return answer


def learns(said: str, loss: torch.Tensor, parameters: Mapping[str, torch.Tensor]) -> None:
    """A gradient of `loss` reaches every one of `parameters` (inputs too), and is finite."""
    assert loss.requires_grad, f"{said} carries no gradient: nothing could be learned"
    found = torch.autograd.grad(loss.sum(), list(parameters.values()), retain_graph=True, allow_unused=True)
    for name, gradient in zip(parameters, found):
        assert gradient is not None and gradient.abs().sum() > 0, f"{said}: no gradient reaches {name}"
        assert torch.isfinite(gradient).all(), f"{said}: the gradient that reaches {name} is not finite"


def gradient_is_whole(
    said: str, run: Callable, inputs: Mapping[str, torch.Tensor], step: float = 1e-4, tolerance: float = 1e-5
) -> None:
    """The gradient is that of the values: for each input, autograd agrees with a small step of that input.

    It holds for a wrong answer too, if only nothing in it is detached: one fault, one message.

    Args:
        said: the call, as text.
        run: called with the inputs by name, in double precision, it gives the tensors that are looked at.
        inputs: name to tensor.
        step: how far an input is moved.
        tolerance: how far the two may differ, relative to 1 + their size.
    """
    doubles = {name: value.detach().double() for name, value in inputs.items()}

    def draw(like):
        return torch.randn(like.shape, generator=generator, dtype=torch.float64)

    generator = torch.Generator().manual_seed(0)
    once, again = run(**doubles), run(**doubles)
    assert all(map(same, once, again)), f"{said}: a second call with the same inputs gives another answer"
    wanting = {name: value.clone().requires_grad_() for name, value in doubles.items()}
    results = run(**{name: value * 1 for name, value in wanting.items()})
    weights = [draw(result) for result in results]
    total = sum((result * weight).sum() for result, weight in zip(results, weights))
    assert total.requires_grad, f"{said} carries no gradient: nothing could be learned"
    found = torch.autograd.grad(total, list(wanting.values()), allow_unused=True)
    for (name, value), gradient in zip(doubles.items(), found):
        way = draw(value)
        ends = [run(**doubles | {name: value + sign * step * way}) for sign in (1, -1)]
        slope = sum(((a - b) * weight).sum() for a, b, weight in zip(*ends, weights)).item() / (2 * step)
        if gradient is None and abs(slope) <= tolerance:
            continue
        assert gradient is not None and gradient.abs().sum() > 0, (
            f"{said}: no gradient reaches {name}, so nothing is learned through it (is something detached?)"
        )
        off = abs((gradient * way).sum().item() - slope)
        assert off <= tolerance * (1 + abs(slope)), (
            f"{said}: the gradient that reaches {name} is not the whole one. Something on the way is detached"
        )


def moves_on(said: str, draw: Callable, generator: torch.Generator):
    """A generator that is given moves on: the second call with it draws other numbers than the first.

    Args:
        said: the call, as a learner would type it.
        draw: called twice, with the generator.
        generator: of the call.
    """
    first, second = draw(generator), draw(generator)
    assert not same(plain(second), plain(first)), (
        f"{said}: two calls in a row with one generator draw the same numbers. Hand on the generator, not its seed"
    )


def leaves_random_numbers_alone(said: str, function: Callable, *args, **kwargs):
    """The global random state is as before: random numbers come from a `generator`, or are given."""
    before = torch.get_rng_state()
    result = function(*args, **kwargs)
    assert torch.equal(torch.get_rng_state(), before), (
        f"{said} draws from the global random state: use the numbers or the generator that are given"
    )
    return result
