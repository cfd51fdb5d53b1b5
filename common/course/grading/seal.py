"""Inside a worker: notice when student code changes what the verdicts rest on.

`seal` looks at the tools of the tests before student code runs: whole namespaces of the grader, of pytest and of the
course machine, their classes included, what tests use of torch and numpy, and torch's own switches. The function that
it gives back compares all of that with what is there now. Everything this function uses it holds itself, so that
replacing a name of this module, or of Python's builtins, changes nothing in it.
"""

import builtins
import functools
import itertools
import math
import operator
import os
import sys
import types

FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, type, functools.partial)
MEMBERS = (staticmethod, classmethod, property, *FUNCTIONS)
PACKAGES = ("_pytest", "pluggy", "pytest", "iniconfig")
OURS = "common.course"
CHANGING = ("_pytest.assertion",)  # pytest swaps functions in there for each test; rewriting of assertions is off
PLAIN = (builtins, math, operator, functools, itertools, types)
MAY_CHANGE = frozenset(["_", "__builtins__", "__warningregistry__", "__annotations__", "__annotations_cache__",
                        "__slotnames__"])  # fmt: skip
# Of these every function must stay what it is.
SEALED = {
    "torch": (
        "allclose equal isclose eq ne all any abs sub sum max min mean is_tensor tensor zeros ones arange linspace",
        "isfinite isnan randn rand Tensor.__eq__ Tensor.__ne__ Tensor.__sub__ Tensor.__lt__ Tensor.__gt__",
        "Tensor.__bool__ Tensor.abs Tensor.all Tensor.any Tensor.max Tensor.min Tensor.sum Tensor.mean Tensor.item",
        "Tensor.tolist Tensor.equal Tensor.allclose Tensor.detach Tensor.clone Tensor.numpy Tensor.to Tensor.cpu",
    ),
    "torch.testing": ("assert_close",),
    "numpy": ("allclose array_equal isclose abs all any max min sum mean asarray array isfinite isnan",),
    "numpy.testing": ("assert_allclose assert_array_equal assert_equal assert_array_almost_equal",),
}
# Of these too, but the library itself may put other functions there: torch does when its compiler is first imported.
WATCHED = ("torch", "torch.Tensor", "torch.functional", "torch.nn.functional", "torch.nn.Module", "torch.linalg",
           "torch.autograd", "torch.testing", "torch.testing._comparison", "numpy", "numpy.testing", "numpy.linalg",
           "einops.einops", "statistics", "fractions.Fraction", "pathlib.Path", "inspect", "copy")  # fmt: skip
MANY = 1000  # entries of a list that are looked at
GLOBAL_HOOKS = "_global_forward_hooks _global_forward_pre_hooks _global_backward_hooks _global_backward_pre_hooks"
MODES = "_len_torch_function_stack _len_torch_dispatch_stack"


def seal(*test_modules):
    """`broken()`, which gives the name of something that is no longer what it was, or an empty text.

    The functions whose code no one may replace are `broken.functions`, by identity.
    """
    tables = list(_tables(test_modules))
    singles = list(_attributes())
    counts = list(_counts(test_modules))
    root, of_tests = os.environ.get("FLIPBOOK_ROOT", os.getcwd()) + os.sep, frozenset(_classes_of(test_modules))
    missing, hidden = object(), frozenset(name for name in vars(builtins) if not name.startswith("__"))

    def broken(read=getattr, every=all, each=map, same=operator.is_, may_change=MAY_CHANGE):
        for label, space, names, values, known, strict, closed in tables:
            if not every(each(same, each(space.get, names), values)):
                for name, value in zip(names, values):
                    now = space.get(name, missing)
                    if now is not value and name not in may_change and (strict or not library_made(now)):
                        return f"{label}.{name}"
            if known is not None and space.keys() != known:
                for name in space.keys() - known:
                    if (closed or name in hidden) and name not in may_change and not library_made(space[name]):
                        return f"{label}.{name}"
        for label, owner, name, value in singles:
            if read(owner, name, None) is not value:
                return f"{label}.{name}"
        for label, count, before in counts:
            if count() != before:
                return label
        return ""

    def library_made(value, kind=type, function=types.FunctionType, starts=str.startswith, inside=str.__contains__):
        """Whether a test or a library put this there: an object of the tests, or a function out of a file."""
        if kind(value) is not function:
            return kind(value) in of_tests
        file = value.__code__.co_filename
        return starts(file, (root, "/", "\\", "C:")) and (starts(file, root) or not inside(file, "/tmp/"))

    functions = {id(value) for table in tables for value in table[3] if _is_sealed_function(value)}
    broken.functions = frozenset(functions | {id(broken), id(library_made)})
    return broken


def _tables(test_modules):
    """(label, namespace, sealed names, their values, all names, whether values are sealed, whether no name joins)."""
    for module in test_modules:  # everything: a test's helpers and the modules it uses, too
        yield _table(module.__name__, vars(module), object, True, True)
        yield from _classes(module)
        for name, value in list(vars(module).items()):  # what it imports
            if isinstance(value, types.ModuleType):
                yield _table(value.__name__, vars(value), types.FunctionType, False, False)
            elif isinstance(value, type):
                yield _table(f"{value.__module__}.{name}", vars(value), MEMBERS, False, True)
    for name, module in list(sys.modules.items()):
        if name.startswith("common.") and not name.startswith(OURS):  # the learner's functions may take places here
            yield _table(name, vars(module), types.FunctionType, False, False)
            yield from _classes(module, False)
        ours = name.startswith(OURS)
        if (ours or name.partition(".")[0] in PACKAGES) and not name.startswith(CHANGING):
            yield _table(name, vars(module), object if ours else FUNCTIONS, True, False)
            yield from _classes(module)
    for module in PLAIN:
        yield _table(module.__name__, vars(module), FUNCTIONS, True, module is builtins)
    watched = [path for path in WATCHED if path.partition(".")[0] in sys.modules]
    for path in watched:
        owner = _found(path)
        if owner is not None:
            yield _table(path, vars(owner), MEMBERS, False, isinstance(owner, type))
    loaded = [name for name in sys.modules if name.partition(".")[0] in (*PACKAGES, "common", "torch", "numpy")]
    yield "sys.modules", sys.modules, loaded, [sys.modules[name] for name in loaded], None, True, False


def _table(label, space, kinds, strict, closed):
    names = [name for name, value in list(space.items()) if not name.startswith("@") and isinstance(value, kinds)]
    return label, space, names, [space[name] for name in names], frozenset(space), strict, closed


def _classes(module, strict=True):
    """The classes that a module defines: their methods and properties, and no new names among them."""
    for name, value in list(vars(module).items()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield _table(f"{module.__name__}.{name}", vars(value), object if strict else MEMBERS, strict, True)


def _classes_of(test_modules):
    """The classes of objects that tests put in the place of a library's functions."""
    for module in (*test_modules, sys.modules.get("common.course.graders.stand_ins")):
        if module is not None:
            yield from (value for value in vars(module).values() if isinstance(value, type))


def _is_sealed_function(value) -> bool:
    """Whether no one may give this function other code. The library's parts of a lab are closed by doing just that."""
    ours = str(getattr(value, "__module__", "")).startswith(OURS)
    return isinstance(value, types.FunctionType) and (ours or not str(value.__module__).startswith("common."))


def _found(path: str):
    """A module or class by its dotted name, where it is loaded."""
    if path in sys.modules:
        return sys.modules[path]
    inside, _, name = path.rpartition(".")
    return getattr(sys.modules.get(inside), name, None)


def _attributes():
    for module, lines in SEALED.items():
        if module not in sys.modules:
            continue
        for path in " ".join(lines).split():
            *owners, name = path.split(".")
            owner = functools.reduce(getattr, owners, sys.modules[module])
            if hasattr(owner, name):
                yield ".".join([module, *owners]), owner, name, getattr(owner, name)


def _counts(test_modules):
    """Switches that change what functions do and leave every name in place: (label, how to look, what was seen)."""
    yield _counted("the settings of the course", _settings, os.environ)
    for name, module in list(sys.modules.items()):
        if name.startswith("common.") or module in test_modules:
            for constant, value in list(vars(module).items()):
                if _holds_values(value):
                    yield _counted(f"{name}.{constant}", _contents, value)
            for function in _functions_of(name, module):
                yield _counted(f"the defaults of {name}.{function.__qualname__}", _defaults, function)
    torch = sys.modules.get("torch")
    if torch is None:
        return
    for name in MODES.split():
        yield _counted("torch's modes", getattr(torch._C, name))
    for name in GLOBAL_HOOKS.split():
        yield _counted("torch's global hooks", len, getattr(torch.nn.modules.module, name))
    if "torch.library" in sys.modules:
        yield _counted("torch's own operations", _own_operations, torch.library._impls)


def _functions_of(name, module):
    """Functions and methods that a module defines and that have default values, such as a tolerance."""
    spaces = [module, *(value for value in vars(module).values() if isinstance(value, type))]
    for value in [value for space in spaces for value in vars(space).values()]:
        function = getattr(value, "__func__", value)  # of a static or class method
        is_own = isinstance(function, types.FunctionType) and function.__module__ == name
        if is_own and (function.__defaults__ or function.__kwdefaults__):
            yield function


def _defaults(function, kind=type, identity=id, each=map, gathered=tuple, mapping=dict):
    named = function.__kwdefaults__ or {}
    if kind(named) is not mapping:
        return named
    return (
        gathered(each(identity, function.__defaults__ or ())),
        gathered(named),
        gathered(each(identity, named.values())),
    )


def _counted(label, function, *arguments):
    look = functools.partial(function, *arguments)
    return label, look, look()


def _settings(environment, starts=str.startswith, order=sorted):
    return order([pair for pair in environment.items() if starts(pair[0], "FLIPBOOK_")])


def _holds_values(value) -> bool:
    """Whether a constant is of a kind whose insides can change: what tests compare with must not."""
    if type(value) in (list, set, dict):
        return len(value) < MANY
    arrays = [sys.modules[name] for name in ("numpy", "torch") if name in sys.modules]
    kinds = tuple(module.ndarray if module.__name__ == "numpy" else module.Tensor for module in arrays)
    return isinstance(value, kinds) and value.nbytes < 1 << 16


def _contents(value, kind=type, identity=id, each=map, gathered=tuple, mapping=dict, plain=(list, set, dict)):
    if kind(value) is mapping:
        return gathered(each(identity, value.values())), gathered(each(identity, value))
    return gathered(each(identity, value)) if kind(value) in plain else value.tolist()


def _own_operations(registered, text=str, starts=str.startswith, length=len):
    return length([key for key in registered if starts(text(key), ("aten", "prim"))])
