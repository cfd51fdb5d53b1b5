"""Make the learner's functions check what they give back, for tests that call them without the toolkit."""

import functools
import types

from common.course.checking.plain_values import require_plain


def guard(module: types.ModuleType, names: list[str]) -> None:
    """Make the learner's functions of these names check what they give back."""
    for name in names:
        function = vars(module).get(name)
        if type(function) is types.FunctionType:
            setattr(module, name, _checked(function, name))


def _checked(function, name: str, require=require_plain):
    @functools.wraps(function)
    def checked(*args, **kwargs):
        value = function(*args, **kwargs)
        require(value, f"`{name}`")
        return value

    return checked
