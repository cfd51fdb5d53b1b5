"""How a grader writes calls and values, so that a learner recognises what they would type."""

import dataclasses
import math
import numbers
from collections.abc import Iterator, Mapping

import numpy as np
import torch

MOST_NUMBERS = 12  # a list longer than this is folded


def call_text(name: str, arguments: Mapping[str, object], keywords: frozenset[str] = frozenset()) -> str:
    """A call as a learner would type it: `motion_score(clip (3, 5, 4, 6), fps=8)`.

    Args:
        name: the function's name.
        arguments: parameter name to value. Tensors and arrays appear as their name and shape.
        keywords: the parameters that are written with their name.
    """
    parts = []
    for parameter, value in arguments.items():
        shaped = isinstance(value, torch.Tensor | np.ndarray) and value.ndim > 0
        if shaped and not is_short(value):
            parts.append(f"{parameter} {shape_text(value.shape)}")
        else:
            parts.append(f"{parameter}={brief(value)}" if parameter in keywords else brief(value))
    return f"{name}({', '.join(parts)})"


def is_short(value) -> bool:
    """Whether a tensor or array is a list of few numbers, better shown than described."""
    return value.ndim == 1 and len(value) <= 6 and not (isinstance(value, torch.Tensor) and value.is_meta)


def brief(value) -> str:
    """A value in a few words: short numbers, folded lists, tensors by their shape."""
    if isinstance(value, torch.Tensor | np.ndarray):
        if value.ndim == 0 and not (isinstance(value, torch.Tensor) and value.is_meta):
            return number_text(value.item())
        if is_short(value):
            return brief(value.tolist())
        return f"{'a tensor' if isinstance(value, torch.Tensor) else 'an array'} of shape {shape_text(value.shape)}"
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, numbers.Real):
        return number_text(value)
    if isinstance(value, list | tuple) and value and all(map(dataclasses.is_dataclass, value)):
        return f"a {type(value).__name__} of {len(value)} {type(value[0]).__name__}"
    if isinstance(value, list | tuple):
        shown = [brief(item) for item in value[:MOST_NUMBERS]] + (["…"] if len(value) > MOST_NUMBERS else [])
        opening, closing = ("[", "]") if isinstance(value, list) else ("(", ",)" if len(value) == 1 else ")")
        return f"{opening}{', '.join(shown)}{closing}"
    if isinstance(value, dict) and len(value) > 4 and all(isinstance(item, torch.Tensor) for item in value.values()):
        return f"a dict of {len(value)} tensors"
    if isinstance(value, dict):
        shown = [f"{key!r}: {brief(item)}" for key, item in list(value.items())[:MOST_NUMBERS]]
        return f"{{{', '.join(shown + ['…'] * (len(value) > MOST_NUMBERS))}}}"
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if hasattr(value, "name") and hasattr(value, "suffix"):  # a path: its last part
        return repr(value.name)
    if isinstance(value, Iterator):
        return "an iterator"
    if isinstance(value, torch.nn.Module) or callable(value):
        return getattr(value, "__name__", type(value).__name__)
    said = repr(value)
    if "\n" in said or said.startswith("<") or " object at 0x" in said:  # an object without a text of its own
        return type(value).__name__
    return said if len(said) <= 80 else said[:79] + "…"


def number_text(value) -> str:
    """A number as short as it can be without hiding a difference: whole numbers whole, others to four digits."""
    if isinstance(value, complex):
        return f"{value:.4g}"
    if isinstance(value, numbers.Integral) or not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e6:
        return f"{value:.1f}"
    return f"{value:.4g}"


def two_numbers(want: float, got: float) -> tuple[str, str]:
    """Two numbers with just as many digits as it takes to tell them apart."""
    for digits in (4, 6, 9, 12):
        texts = f"{want:.{digits}g}", f"{got:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(want), repr(got)


def shape_text(shape) -> str:
    """A shape as Python writes it: `(3, 5)`."""
    return str(tuple(int(size) for size in shape))


def axes_text(axes) -> str:
    """Names of axes as a shape of letters: `(c, t, h, w)`."""
    return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"


def type_text(value) -> str:
    """The type's name with its article."""
    name = type(value).__name__
    article = "an" if name[0].lower() in "aeiou" or name == "ndarray" else "a"
    return f"{article} {name}" if value is not None else "None"
