"""Comparing what an answer gave with the truth, and saying where and how it differs.

Everything is compared in double precision. A named mistake is looked for only in a value that is wrong, so that no
mistake can be named where there is none.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch

from common.course.graders.kinds import place_text
from common.course.graders.wording import brief, number_text, shape_text, two_numbers

FACTORS = (2.0, 0.5, 4.0, 0.25, -1.0, 255.0, 1 / 255, 127.5, 1 / 127.5, 100.0, 0.01, 1000.0, 0.001)
MOST_SHOWN = 16


def plain(value) -> np.ndarray:
    """A value as an array of doubles (or complex numbers), without gradients, on the CPU."""
    if isinstance(value, torch.Tensor):
        value = value.detach().resolve_conj().cpu()
        value = value.to(torch.complex128 if value.is_complex() else torch.float64).numpy()
    elif isinstance(value, list | tuple) and any(isinstance(item, torch.Tensor) for item in value):
        value = [plain(item) for item in value]
    array = np.asarray(value)
    return array if np.iscomplexobj(array) else array.astype(np.float64)


def same(got, want, tolerance: float = 1e-5) -> bool:
    """Whether two values have one shape and differ nowhere by more than `tolerance * (1 + |want|)`."""
    if nested(want) or nested(got):
        return _same_parts(got, want, tolerance)
    got, want = plain(got), plain(want)
    if got.shape != want.shape:
        return False
    with np.errstate(invalid="ignore"):
        near = (np.abs(got - want) <= tolerance * (1 + np.abs(want))) & np.isfinite(want)
    return bool((near | (got == want) | (np.isnan(got) & np.isnan(want))).all())


def nested(value) -> bool:
    """Whether a value holds others that are not just numbers: lists in a list, a dictionary, text."""
    inner = list | tuple | dict | str | None
    return isinstance(value, dict | str | None) or (
        isinstance(value, list | tuple) and (any(isinstance(item, inner) for item in value) or _ragged(value))
    )


def _ragged(values: list | tuple) -> bool:
    """Whether these are tensors of several shapes, such as the levels of a pyramid."""
    return len({tuple(item.shape) for item in values if isinstance(item, torch.Tensor | np.ndarray)}) > 1


def _same_parts(got, want, tolerance: float) -> bool:
    if isinstance(want, dict):
        return isinstance(got, dict) and list(got) == list(want) and all(same(got[k], want[k], tolerance) for k in want)
    if isinstance(want, list | tuple):
        return isinstance(got, list | tuple) and len(got) == len(want) and all(
            same(a, b, tolerance) for a, b in zip(got, want)
        )  # fmt: skip
    return type(got) is type(want) and got == want


def judge(
    said: str,
    got,
    want,
    mistakes: Mapping[str, object] | None = None,
    *,
    tolerance: float = 1e-5,
    axes=None,
    because: str = "",
) -> None:
    """Raise `AssertionError` unless `got` is `want`.

    Args:
        said: the call, as text.
        got, want: numbers, lists, arrays or tensors.
        mistakes: message to the value that this mistake gives, or to a function that computes it. The first that
            explains a wrong value is named.
        tolerance: how far a number may be off, relative to 1 + its size.
        axes: names of the axes, for the place of the difference.
        because: what to say where no named mistake explains the value.
    """
    if same(got, want, tolerance):
        return
    for message, value in (mistakes or {}).items():
        value = value() if isinstance(value, Callable) and not isinstance(value, torch.nn.Module) else value
        if value is not None and not same(value, want, tolerance) and same(got, value, tolerance):
            raise AssertionError(f"{said}: {message}")
    ending = f". {because[0].upper()}{because[1:]}" if because else ""
    raise AssertionError(difference(said, got, want, axes) + ending)


def _wrong_part(got, want):
    """The first key or place at which two containers of tensors differ; None where no single one can be named."""
    if isinstance(want, dict) and isinstance(got, dict) and list(got) == list(want):
        places = list(want)
    elif isinstance(want, list | tuple) and isinstance(got, list | tuple) and len(got) == len(want):
        places = list(range(len(want)))
    else:
        return None
    shaped = (place for place in places if getattr(want[place], "shape", ()))
    return next((place for place in shaped if not same(got[place], want[place])), None)


def difference(said: str, got, want, axes=None) -> str:
    """Where two values differ most, with as many digits as that takes."""
    place = _wrong_part(got, want)
    if place is not None:
        name = place if isinstance(place, str) else f"entry {place}"
        return difference(f"{name} of {said}", got[place], want[place])
    if nested(want) or nested(got):
        return f"{said} should be {brief(want)}, not {brief(got)}"
    a, b = plain(got), plain(want)
    if a.shape != b.shape and isinstance(got, list | tuple):
        return f"{said} should be {brief(as_list(want))}, not {brief(as_list(got))}"
    if a.shape != b.shape:
        return f"{said} should have the shape {shape_text(b.shape)}, not {shape_text(a.shape)}"
    if a.ndim == 0:
        right, yours = texts(b.item(), a.item())
        return f"{said} should be {right}, not {yours}{factor(a, b)}"
    off = np.abs(np.nan_to_num(a - b, nan=np.inf, posinf=np.inf, neginf=np.inf))
    place = np.unravel_index(int(off.argmax()), off.shape)
    right, yours = texts(b[place].item(), a[place].item())
    if a.ndim == 1 and a.size <= MOST_SHOWN and isinstance(got, list | tuple):
        if a.size == 1:
            return f"{said} should be {brief(as_list(want))}, not {brief(as_list(got))}"
        where = place_text(axes, place, 1)
        return f"{said} should be {brief(as_list(want))}, not {brief(as_list(got))}: {right} and not {yours}{where}"
    wrong = int((off > 1e-6 * (1 + np.abs(b))).sum())
    count = "every number is wrong" if wrong == a.size and a.size > 1 else f"{wrong} of {a.size} numbers are wrong"
    return f"{said} should be {right}{place_text(axes, place, a.ndim)}, not {yours} ({count}){factor(a, b)}"


def as_list(value) -> list:
    """A flat list of the value's numbers."""
    return value.tolist() if hasattr(value, "tolist") else list(value)


def texts(want, got) -> tuple[str, str]:
    """Two numbers, told apart with as few digits as it takes."""
    if isinstance(want, complex) or isinstance(got, complex):
        return str(want), str(got)
    if np.isfinite(want) and np.isfinite(got):
        if want == int(want) and got == int(got) and max(abs(want), abs(got)) < 1e9:
            return str(int(want)), str(int(got))
        return two_numbers(want, got)
    return number_text(want), number_text(got)


def factor(got: np.ndarray, want: np.ndarray) -> str:
    """A fact worth knowing: all of `got` is the truth times one of the usual factors, or the truth plus a constant."""
    if np.iscomplexobj(got) or not np.isfinite(got).all() or not np.isfinite(want).all() or not np.abs(want).max():
        return ""
    for times in FACTORS:
        if same(got, times * want, 1e-6):
            return ": the sign is turned around" if times == -1 else f": {times:.4g} times what it should be"
    shift = (got - want).mean()
    if got.size > 1 and same(got, want + shift, 1e-6):
        return f": everywhere {abs(shift):.4g} too {'much' if shift > 0 else 'little'}"
    return ""
