"""The inputs of a call: copies of them, and whether the answer left them as they were."""

import copy
import os
import stat
import types
from collections.abc import Mapping

import numpy as np
import torch

from common.course.graders import comparing

MOST_WEIGHTS = 1_000_000


class Handed:
    """Inputs that are handed on as they are, with no copy: their methods and files must be the same after the call.

    What an object holds may change. Its methods may not be hidden by others, and a model's weights stay what they are.
    """

    def __init__(self, given: Mapping[str, object]):
        self._objects = {name: value for name, value in given.items() if _has_methods(value)}
        self._hidden = {name: _hidden(value) for name, value in self._objects.items()}
        self._weights = {name: (value, _weights(value)) for name, value in given.items() if _weights(value)}
        self._files = {name: (value, _file(value)) for name, value in given.items() if _file(value)}

    def replaced(self) -> dict[str, str]:
        """Input name to words for what was replaced."""
        found = {}
        for name, value in self._objects.items():
            for method in sorted(_hidden(value) - self._hidden[name])[:1]:
                found[name] = f"replaced `{method}` of the {name} that it was given"
        for name, (value, before) in self._weights.items():
            after = _weights(value)
            if len(after) != len(before) or not all(map(_same_bits, before, after)):
                what = "" if isinstance(value, torch.Tensor) else "weights of the "
                found[name] = f"changed the {what}{name} that it was given"
        for name, (value, before) in self._files.items():
            if _file(value) != before:
                found[name] = f"changed the file of the {name} that it was given"
        return found


def _has_methods(value) -> bool:
    return hasattr(value, "__dict__") and not isinstance(
        value, type | types.ModuleType | types.FunctionType | torch.Tensor
    )


def _hidden(value) -> frozenset[str]:
    """Names of methods of an object's class that the object itself has under the same name."""
    return frozenset(name for name in vars(value) if callable(getattr(type(value), name, None)))


def _weights(value) -> list[torch.Tensor]:
    """Copies of a model's parameters, and of tensors inside a graph, which are handed on too; of much, none."""
    held = [tensor.detach() for tensor in _tensors(value) if not tensor.is_meta]
    return [tensor.clone() for tensor in held] if sum(tensor.numel() for tensor in held) < MOST_WEIGHTS else []


def _tensors(value) -> list[torch.Tensor]:
    if isinstance(value, torch.nn.Module):
        return list(value.parameters())
    if isinstance(value, torch.Tensor):
        return [value] if value.requires_grad and not value.is_leaf else []
    inside = value.values() if type(value) is dict else value if type(value) in (list, tuple) else ()
    return [tensor for part in inside for tensor in _tensors(part)]


def _same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and bool(((a == b) | ((a != a) & (b != b))).all())


def _file(value) -> tuple | None:
    """Size and time of a file, where the value is the path of one."""
    if not isinstance(value, str | os.PathLike) or not str(value):
        return None
    try:
        found = os.stat(value)
    except (OSError, ValueError):
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def copied(value):
    """A copy of tensors, arrays and containers of them; anything else is handed on as it is."""
    if isinstance(value, torch.Tensor):
        if value.requires_grad and value.is_leaf:
            return value.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        return value if value.requires_grad else view_like(value)
    if isinstance(value, np.ndarray):
        return view_like(value)
    if type(value) in (list, tuple):
        return type(value)(copied(item) for item in value)
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    return value


def view_like(value):
    """A copy with the value's memory layout, negative strides and gaps included."""
    if isinstance(value, np.ndarray):
        return copy.deepcopy(value) if all(stride > 0 for stride in value.strides) else _flipped_copy(value)
    if value.is_meta or value.is_contiguous() or value.numel() == 0:
        return value.clone(memory_format=torch.preserve_format)
    size = 1 + sum((n - 1) * stride for n, stride in zip(value.shape, value.stride()))
    kept = torch.zeros(size, dtype=value.dtype, device=value.device).as_strided(value.shape, value.stride())
    return kept.copy_(value) if not _overlaps(value) else value.clone()


def _overlaps(value: torch.Tensor) -> bool:
    return any(stride == 0 and n > 1 for n, stride in zip(value.shape, value.stride()))


def _flipped_copy(value: np.ndarray) -> np.ndarray:
    back = tuple(slice(None, None, -1) if stride < 0 else slice(None) for stride in value.strides)
    return np.ascontiguousarray(value[back])[back]


def unchanged(before, after) -> bool:
    """Whether an input is as it was."""
    if isinstance(before, torch.Tensor):
        return before.is_meta or (before.shape == after.shape and comparing.same(after, before, 0.0))
    if isinstance(before, np.ndarray):
        return before.shape == after.shape and before.dtype == after.dtype and _equal_arrays(before, after)
    if type(before) in (list, tuple):
        return len(before) == len(after) and all(unchanged(a, b) for a, b in zip(before, after))
    if type(before) is dict:
        return list(before) == list(after) and all(unchanged(before[key], after[key]) for key in before)
    if isinstance(before, int | float | complex | str | bytes | None):
        return type(before) is type(after) and (before == after or before != before)  # nan is not itself
    return before is after  # objects are handed on as they are, not copied


def _equal_arrays(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
