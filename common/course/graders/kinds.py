"""What a call gives back: the kind of value that an exercise's docstring promises, and the check that it is one.

Axes are named as in einops: `tensor("b c t h w")`. Sizes come from the inputs' own axes of the same names.
"""

import inspect
import itertools
import math
import numbers as number_types
from dataclasses import dataclass, field

import numpy as np
import torch

from common.course.graders.wording import axes_text, brief, shape_text, type_text


@dataclass(frozen=True)
class Kind:
    """A promised kind of value. `check` raises `AssertionError` in the learner's terms, or returns the value."""

    axes: tuple[str, ...] | None = None

    def check(self, said: str, value, sizes: dict, source=None):
        """Check a value.

        Args:
            said: the call, as text.
            value: what it gave.
            sizes: axis name to size; the key `...` holds a tuple of leading sizes.
            source: the first tensor or array among the inputs: what "the same dtype and device" refers to.
        """
        return value


@dataclass(frozen=True)
class Shaped(Kind):
    """A tensor or array with named axes. `dtype`: a type, "same" (as the first input has), a function of that, None."""

    dtype: object = None
    finite: bool = True
    numpy: bool = False

    def check(self, said, value, sizes, source=None):
        self._check_type(said, value)
        want = sized(self.axes, sizes)
        if want is not None:
            got = tuple(value.shape)
            assert got == want, (
                f"{said} should have the shape {self._named(want)}, not {got}{self._diagnosis(got, sizes)}"
            )
        dtype = source.dtype if self.dtype == "same" and source is not None else self.dtype
        dtype = dtype(source.dtype) if inspect.isfunction(dtype) else dtype
        if dtype not in (None, "same"):
            right = np.dtype(dtype) == value.dtype if self.numpy else dtype == value.dtype
            asked = np.dtype(dtype) if self.numpy else str(dtype).removeprefix("torch.")
            same = " as its input is" if self.dtype == "same" else ""
            assert right, f"{said} should be {asked}{same}, not {str(value.dtype).removeprefix('torch.')}"
        if isinstance(value, torch.Tensor) and isinstance(source, torch.Tensor):
            assert value.device == source.device, (
                f"{said}: the input is on the device {source.device}, the result on {value.device}. "
                "Make new tensors on the input's device, as x.new_zeros(…) does"
            )
        if self.finite and not (isinstance(value, torch.Tensor) and value.is_meta):
            self._check_finite(said, value)
        return value

    def _check_type(self, said, value):
        if self.numpy:
            assert isinstance(value, np.ndarray), f"{said} returned {type_text(value)}. It should return a NumPy array"
        else:
            assert isinstance(value, torch.Tensor), f"{said} returned {type_text(value)}. It should return a tensor"

    def _check_finite(self, said, value):
        bad = ~(np.isfinite(value) if self.numpy else torch.isfinite(value))
        if bad.any():
            place = np.argwhere(np.asarray(bad.cpu() if hasattr(bad, "cpu") else bad))[0]
            word = "nan" if np.isnan(float(value[tuple(place)])) else "infinite"
            where = place_text(self.axes, place, value.ndim)
            raise AssertionError(
                f"{said} is {word}{where} ({int(bad.sum())} of {bad.size if self.numpy else bad.numel()} numbers)"
            )

    def _named(self, want: tuple[int, ...]) -> str:
        axes = [axis for axis in self.axes or () if axis not in ("...", "()")]
        return f"{axes_text(axes)} = {want}" if len(axes) == len(want) > 0 else shape_text(want)

    def _diagnosis(self, got: tuple[int, ...], sizes: dict) -> str:
        """The names of the axes that the learner's shape has, where they can only be these."""
        named = {axis: size for axis, size in sizes.items() if isinstance(size, int)}
        if len(set(named.values())) < len(named) or "..." in (self.axes or ()):
            return ""
        names = {size: axis for axis, size in named.items()}
        if not got:
            return ": a single number, with no axes"
        found = [names.get(size, "1" if size == 1 else None) for size in got]
        if None in found:
            return ""
        return f", whose axes are {axes_text(found)}"


def sized(axes: tuple[str, ...] | None, sizes: dict) -> tuple[int, ...] | None:
    """The shape that named axes have. None where no axes are named or one of them has no known size."""
    if axes is None:
        return None
    shape: list[int] = []
    for axis in axes:
        if axis == "...":
            shape += sizes.get("...", ())
        elif axis.isdigit():
            shape.append(int(axis))
        elif axis in sizes:
            shape.append(sizes[axis])
        else:
            return None
    return tuple(shape)


def bind_axes(pattern: str, shape: tuple[int, ...]) -> dict:
    """Axis name to size, from a pattern such as `"... c t h w"` and a shape. Nothing where they do not fit."""
    axes = pattern.split()
    if "..." in axes:
        at, rest = axes.index("..."), len(axes) - 1
        if len(shape) < rest:
            return {}
        middle = len(shape) - rest
        bound = dict(zip(axes[:at], shape[:at])) | dict(zip(axes[at + 1 :], shape[at + middle :]))
        return bound | {"...": tuple(shape[at : at + middle])}
    if len(axes) != len(shape):
        return {}
    return {axis: size for axis, size in zip(axes, shape) if not axis.isdigit()}


def place_text(axes, place, ndim: int) -> str:
    """` at t=2, h=0, w=3`, or ` at [2, 0, 3]` where the axes have no names."""
    if ndim == 0:
        return ""
    names = [axis for axis in axes or () if axis != "..."]
    if len(names) == ndim:
        return " at " + ", ".join(f"{axis}={int(i)}" for axis, i in zip(names, place))
    return f" at [{', '.join(str(int(i)) for i in place)}]"


@dataclass(frozen=True)
class Integers(Kind):
    """A plain list of whole numbers. `count`: an axis name or a number."""

    count: object = None

    def check(self, said, value, sizes, source=None):
        assert isinstance(value, list), f"{said} returned {type_text(value)}. It should return a plain list"
        odd = [item for item in value if not isinstance(item, number_types.Integral)]
        assert not odd, (
            f"{said}: the list holds {type_text(odd[0])} ({brief(odd[0])}), and whole numbers are asked for: "
            "round, then finish with .tolist()"
        )
        count = sizes.get(self.count) if isinstance(self.count, str) else self.count
        assert count in (None, len(value)), f"{said} gave {len(value)} numbers instead of {count}: {brief(value)}"
        return value


@dataclass(frozen=True)
class Numbers(Kind):
    """A list or tuple of real numbers. `count`: an axis name or a number."""

    count: object = None

    def check(self, said, value, sizes, source=None):
        assert isinstance(value, list | tuple), f"{said} returned {type_text(value)}. It should return a list"
        for item in value:
            Number().check(f"an entry of {said}", item, sizes)
        count = sizes.get(self.count) if isinstance(self.count, str) else self.count
        assert count in (None, len(value)), f"{said} gave {len(value)} numbers instead of {count}: {brief(value)}"
        return value


@dataclass(frozen=True)
class Number(Kind):
    """One real number: Python's, NumPy's, or a tensor with a single value where `tensor` allows it."""

    whole: bool = False
    tensor: bool = False
    finite: bool = True

    def check(self, said, value, sizes, source=None):
        if isinstance(value, torch.Tensor) and self.tensor and value.ndim == 0:
            value = value.item()
        asked = "a whole number" if self.whole else "a number"
        kind = number_types.Integral if self.whole else number_types.Real
        assert isinstance(value, kind) and not isinstance(value, bool), (
            f"{said} is {type_text(value)}{'' if value is None else f' ({brief(value)})'}. It should be {asked}"
        )
        assert not self.finite or math.isfinite(value), f"{said} is {value}. It should be finite"
        return value


@dataclass(frozen=True)
class Text(Kind):
    """A string."""

    def check(self, said, value, sizes, source=None):
        assert isinstance(value, str), f"{said} returned {type_text(value)}. It should return a string"
        return value


@dataclass(frozen=True)
class Instance(Kind):
    """An object of a class, or of one of several; `called` is how the message names it."""

    classes: tuple = ()
    called: str = ""

    def check(self, said, value, sizes, source=None):
        assert isinstance(value, self.classes), f"{said} returned {type_text(value)}. It should return {self.called}"
        return value


@dataclass(frozen=True)
class Record(Kind):
    """Several values with names: a tuple in this order, a mapping, or an object with these attributes."""

    form: str = "tuple"  # "tuple", "mapping", "object"
    parts: dict = field(default_factory=dict)

    def check(self, said, value, sizes, source=None):
        names = ", ".join(self.parts)
        if self.form == "tuple":
            right = isinstance(value, tuple | list) and len(value) == len(self.parts)
            what = f"{type_text(value)} of {len(value)}" if isinstance(value, tuple | list) else type_text(value)
            assert right, f"{said} returned {what}. It should return a tuple ({names})"
        for name, kind in self.parts.items():
            kind.check(f"{name} of {said}", self.take(said, value, name), sizes, source)
        return value

    def take(self, said: str, value, name: str):
        """One part of a value of this kind."""
        if self.form == "tuple":
            return value[list(self.parts).index(name)]
        if self.form == "mapping":
            try:
                return value[name]
            except (TypeError, LookupError):
                raise AssertionError(f"{said} has no key {name!r}: it is {brief(value)}") from None
        assert hasattr(value, name), f"{said} is {type_text(value)}, without the attribute {name}"
        return getattr(value, name)

    def part(self, name: str) -> Kind:
        """The kind of one part."""
        return self.parts[name]


@dataclass(frozen=True)
class Each(Kind):
    """A list whose entries are all of one kind. `count`: an axis name or a number."""

    entry: Kind = field(default_factory=Kind)
    count: object = None

    def check(self, said, value, sizes, source=None):
        assert isinstance(value, list), f"{said} returned {type_text(value)}. It should return a plain list"
        for i, item in enumerate(value):
            self.entry.check(f"entry {i} of {said}", item, sizes, source)
        count = sizes.get(self.count) if isinstance(self.count, str) else self.count
        assert count in (None, len(value)), f"{said} has {len(value)} entries instead of {count}: {brief(value)}"
        return value


@dataclass(frozen=True)
class Mapped(Kind):
    """A dictionary whose values are all of one kind. `keys`: the name under which `sizes` has the keys, in order."""

    entry: Kind = field(default_factory=Kind)
    keys: str | None = None

    def check(self, said, value, sizes, source=None):
        assert isinstance(value, dict), f"{said} returned {type_text(value)}. It should return a dictionary"
        want = sizes.get(self.keys)
        assert want is None or list(value) == list(want), (
            f"{said} should have the keys {brief(list(want))}, in this order, not {brief(list(value))}"
        )
        for key, item in value.items():
            self.entry.check(f"{key!r} of {said}", item, sizes, source)
        return value

    def take(self, said: str, value, name: str):
        """The value of one key."""
        assert name in value, f"{said} has no key {name!r}: it has {brief(list(value))}"
        return value[name]

    def part(self, name: str) -> Kind:
        """The kind of one value."""
        return self.entry


def tensor(axes: str | None = None, dtype=None, *, finite: bool = True) -> Kind:
    """A torch tensor: `tensor("b c t h w", dtype="same")`. The empty pattern is a scalar tensor."""
    return Shaped(None if axes is None else tuple(axes.split()), dtype, finite)


def array(axes: str | None = None, dtype=None, *, finite: bool = True) -> Kind:
    """A NumPy array: `array("t h w c", dtype=np.uint8)`."""
    return Shaped(None if axes is None else tuple(axes.split()), dtype, finite, numpy=True)


def integers(count=None) -> Kind:
    """A plain list of whole numbers; `count` is a number or the name of an axis."""
    return Integers(count=count)


def numbers(count=None) -> Kind:
    """A list or tuple of real numbers; `count` is a number or the name of an axis."""
    return Numbers(count=count)


def each(entry: Kind, count=None) -> Kind:
    """A plain list of values of one kind: `each(record("tuple", keyframe=number(whole=True), frames=integers()))`."""
    return Each(entry=entry, count=count)


def mapping(entry: Kind, keys: str | None = None) -> Kind:
    """A dictionary of values of one kind; the call's `sizes` give its keys, in order, under the name `keys`."""
    return Mapped(entry=entry, keys=keys)


def number(*, whole: bool = False, tensor: bool = False, finite: bool = True) -> Kind:
    """One number; `tensor=True` also takes a tensor of shape ()."""
    return Number(whole=whole, tensor=tensor, finite=finite)


def text() -> Kind:
    """A string."""
    return Text()


def instance(*classes: type, called: str = "") -> Kind:
    """An object of one of these classes."""
    return Instance(classes=classes, called=called or " or ".join(type_name(c) for c in classes))


def type_name(kind: type) -> str:
    """A class's name with its article."""
    return f"{'an' if kind.__name__[0].lower() in 'aeiou' else 'a'} {kind.__name__}"


def record(form: str = "tuple", /, **parts: Kind) -> Kind:
    """Several named values: `record("tuple", h=tensor("b k h w"), c=tensor("b k h w"))`."""
    return Record(form=form, parts=parts)


def anything() -> Kind:
    """Any value at all: the test looks for itself."""
    return Kind()


def leaves(kind: Kind, value) -> list:
    """The tensors and arrays inside a checked value."""
    if isinstance(kind, Record):
        return list(itertools.chain.from_iterable(leaves(k, kind.take("", value, n)) for n, k in kind.parts.items()))
    if isinstance(kind, Each):
        return list(itertools.chain.from_iterable(leaves(kind.entry, item) for item in value))
    return [value] if isinstance(value, torch.Tensor | np.ndarray) else []
