"""Inside a worker: notice when student code replaces what the verdicts rest on, or goes looking for the grader.

`Seal` remembers the functions of the tests, of pytest and of the course machine, and the few of torch and numpy that
tests lean on; before each verdict is sent, all must still be the same objects. `keep_watch` reports who gives one of
these functions other code, and the first step of a cell that climbs the stack, walks the heap, traces, or uses raw
memory: no answer needs that, and no verdict is worth anything after it. The report is sent before the step succeeds,
and an audit hook cannot be taken out.
"""

import builtins
import functools
import math
import operator
import sys
import types

FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, type, functools.partial)
MEMBERS = (staticmethod, classmethod, property, *FUNCTIONS)
PACKAGES = ("_pytest", "pluggy", "pytest")
CHANGING = ("_pytest.assertion",)  # pytest swaps functions in there for each test; rewriting of assertions is off
# Not all of torch: it swaps some functions itself when its compiler is first imported.
SEALED = {
    "torch": (
        "allclose equal isclose eq ne all any abs sub sum max min mean is_tensor tensor zeros ones arange linspace",
        "Tensor.__eq__ Tensor.__ne__ Tensor.__sub__ Tensor.__lt__ Tensor.__gt__ Tensor.__bool__ Tensor.abs",
        "Tensor.all Tensor.any Tensor.max Tensor.min Tensor.sum Tensor.mean Tensor.item Tensor.tolist",
        "Tensor.equal Tensor.allclose",
    ),
    "torch.testing": ("assert_close",),
    "numpy": ("allclose array_equal isclose abs all any max min sum mean asarray array",),
    "numpy.testing": ("assert_allclose assert_array_equal assert_equal assert_array_almost_equal",),
}

LOOKING = {"sys._getframe", "sys._current_frames", "gc.get_objects", "gc.get_referrers", "gc.get_referents"}
LOOKING |= {"sys.settrace", "sys.setprofile", "sys.addaudithook"}
PROCESSES = {"os.fork", "os.forkpty", "os.exec", "os.system", "os.posix_spawn", "os.kill", "subprocess.Popen"}
NETWORK = {"socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.bind"}
FRAMES = {"tb_frame", "gi_frame", "cr_frame", "ag_frame"}
WATCHED = {*LOOKING, *PROCESSES, *NETWORK, "object.__getattr__", "object.__setattr__", "open"}
# Library files whose functions only hand such a step on for their caller. (`traceback` only prints: that is honest.)
TRANSPARENT = ("/inspect.py", "/subprocess.py", "/os.py", "/socket.py", "/ctypes/__init__.py", "/threading.py")


class Seal:
    """The state of the tools that verdicts rest on, taken before student code runs."""

    def __init__(self, *test_modules):
        self._bound = list(_namespaces(test_modules))
        self._attributes = list(_attributes())
        self.functions = frozenset(id(value) for *_, value in self._bound if isinstance(value, types.FunctionType))

    def broken(self) -> str:
        """The name of something that is no longer what it was, or an empty text."""
        for label, namespace, name, value in self._bound:
            if namespace.get(name) is not value:
                return f"{label}.{name}"
        for label, owner, name, value in self._attributes:
            if getattr(owner, name, None) is not value:
                return f"{label}.{name}"
        return ""


def _namespaces(test_modules):
    for module in test_modules:  # everything: a test's helpers and the modules it uses, too
        yield from _members(module.__name__, vars(module), object)
    for name, module in list(sys.modules.items()):
        ours = name.partition(".")[0] in PACKAGES or name.startswith("common.course")
        if ours and not name.startswith(CHANGING):
            yield from _members(name, vars(module), FUNCTIONS)
    for module in (builtins, math, operator):
        yield from _members(module.__name__, vars(module), FUNCTIONS)


def _members(label, namespace, kinds, depth=0):
    for name, value in list(namespace.items()):
        if name.startswith("@") or name == "__builtins__" or not isinstance(value, kinds):
            continue
        yield label, namespace, name, value
        if isinstance(value, type) and not depth and value.__module__.startswith((*PACKAGES, "common.course", "test")):
            yield from _members(f"{label}.{name}", vars(value), MEMBERS, depth + 1)


def _attributes():
    for module, lines in SEALED.items():
        if module not in sys.modules:
            continue
        for path in " ".join(lines).split():
            *owners, name = path.split(".")
            owner = functools.reduce(getattr, owners, sys.modules[module])
            if hasattr(owner, name):
                yield ".".join([module, *owners]), owner, name, getattr(owner, name)


def keep_watch(lab_id: str, tell, sealed: frozenset[int]) -> None:
    """Tell the parent, once each, of steps that honest answers never take, when a cell of the notebook takes them.

    `sealed` are the identities of functions that nobody may change.
    """
    told: set[str] = set()
    busy = False

    def hook(event, arguments, frame_of=sys._getframe, starts=str.startswith):
        nonlocal busy
        if busy or not (event in WATCHED or starts(event, "ctypes.")):
            return
        busy = True  # looking at frames is an event of its own
        try:
            if event == "object.__setattr__":
                kind, words = "tampered", f"changed `{arguments[1]}` of a function of the tests"
                guilty = id(arguments[0]) in sealed
            else:
                kind, words = _meaning(event, arguments)
                guilty = words and words not in told and _from_cell(frame_of(1), f"<{lab_id} ")
            if guilty:
                told.add(words)
                tell(kind, words)
        finally:
            busy = False

    sys.addaudithook(hook)


def _meaning(event: str, arguments: tuple) -> tuple[str, str]:
    """What a step is: `tampered` (no verdict counts after it) or `suspect` (worth a look), and words for it."""
    if event in LOOKING:
        return "tampered", f"called `{event}`, with which tests can be forged"
    if event == "object.__getattr__":
        return "tampered", f"read `{arguments[1]}`, with which tests can be forged" if arguments[1] in FRAMES else ""
    if event in PROCESSES:
        return "suspect", f"called `{event}` (another process)"
    if event in NETWORK:
        return "suspect", "tried to use the network"
    if event == "open":
        return "suspect", "opened a file of /proc" if str(arguments[0]).startswith("/proc") else ""
    return "tampered", "used `ctypes`, with which tests can be forged"


def _from_cell(frame, cell_mark: str) -> bool:
    """Whether a notebook's cell took this step itself, or through a library function that only hands it on."""
    while frame is not None and frame.f_code.co_filename.endswith(TRANSPARENT):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(cell_mark)
