"""What surrounds an answer while it is tested: a time limit, a look-out for replaced tools, and a clean-up after it."""

import builtins
import contextlib
import ctypes
import io
import math
import os
import random
import signal
import sys
import threading
import time
import types
import warnings

from common.course.base import fair_time
from common.course.base.parts import library_modules
from common.course.checking.explain import TestTimeout

# The machine's own modules that verdicts rest on. By name: most of them import this one.
MACHINE = ("plugin", "base.parts", "base.paths", "base.results", "checking.explain", "checking.guards",
           "checking.loader", "checking.marks", "checking.off_limits", "checking.plain_values",
           "checking.runner", "graders.calls", "graders.comparing", "graders.inputs", "graders.kinds",
           "graders.outcomes", "graders.stand_ins", "graders.theorems", "graders.values",
           "graders.wording")  # fmt: skip


@contextlib.contextmanager
def time_limit(seconds: float, exception: type = TestTimeout):
    """Raise `exception` in the running code after `seconds`, again and again until the block ends.

    On Linux, seconds in which the machine was busy with others do not count. A right answer is right there, too.
    An alarm signal where there is one; otherwise (Windows, a thread) a timer that plants the exception in the thread.
    Neither interrupts a loop inside a C function: whoever grades strangers' code runs it in a process it can kill.
    """
    if not seconds:
        yield
    elif hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        with _alarm(seconds, exception):
            yield
    else:
        with _planted(seconds, exception):
            yield


@contextlib.contextmanager
def _alarm(seconds, exception):
    began = fair_time.now()

    def ring(*_):
        if fair_time.now() - began < 0.99 * seconds:
            return  # it rings again soon
        raise exception(f"took longer than {seconds:g} s: is there an endless loop?")

    handler, timer = signal.signal(signal.SIGALRM, ring), signal.getitimer(signal.ITIMER_REAL)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.25)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if timer[0]:
            signal.setitimer(signal.ITIMER_REAL, *timer)


@contextlib.contextmanager
def _planted(seconds, exception):
    thread, lock, ended = threading.get_ident(), threading.Lock(), threading.Event()
    plant = ctypes.pythonapi.PyThreadState_SetAsyncExc
    rang = False

    def wait_and_plant():
        nonlocal rang
        pause = seconds
        while not ended.wait(pause):
            with lock:
                if not ended.is_set():
                    rang, pause = True, 0.25
                    plant(ctypes.c_ulong(thread), ctypes.py_object(exception))

    watcher = threading.Thread(target=wait_and_plant, daemon=True)
    watcher.start()
    try:
        try:
            yield
        finally:
            with lock:
                ended.set()
            if rang:
                _settle(thread, plant)
    except exception as exc:
        if rang and not exc.args:  # a planted exception carries no words
            raise exception(f"took longer than {seconds:g} s: is there an endless loop?") from None
        raise


def _settle(thread, plant):
    """Let an exception that was planted and not yet raised go nowhere.

    Planting None would take it back, and leave CPython 3.11 in the belief that one is due: code that is profiled or
    traced then never gets past its first line. So another one takes its place, and is raised here.
    """

    class Settled(BaseException):
        pass

    try:
        plant(ctypes.c_ulong(thread), ctypes.py_object(Settled))
        while True:
            time.sleep(0)
    except Settled:
        return


@contextlib.contextmanager
def one_thread():
    """Let torch compute in one thread, where it is loaded.

    The tensors of tests are small: several threads gain nothing, and where something else computes too they wait for
    each other at every operation, so that a test of a third of a second can take twenty.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Printed(io.StringIO):
    """What an answer printed, up to a length: an endless loop may print for as long as its time lasts."""

    limit = 2000

    def write(self, text):
        super().write(text[: max(0, self.limit - self.tell())])
        return len(text)


class Tampering(AssertionError):
    """The answer replaced something that the tests rely on."""


def _watched() -> list[tuple[object, list[str]]]:
    """What tests lean on. Not all of torch: torch itself swaps functions when its compiler is first imported."""
    import _pytest.outcomes
    import _pytest.runner
    import pytest

    machine = [sys.modules.get(f"common.course.{name}") for name in MACHINE]
    whole = [module for module in machine if module is not None]
    whole += [math, _pytest.outcomes, _pytest.runner]
    watched = [(module, [n for n in vars(module) if n != "__builtins__"]) for module in whole]
    watched.append((builtins, [name for name in vars(builtins) if name != "_"]))  # a shell keeps its last result in _
    watched += [(signal, ["setitimer", "signal"]), (os, ["write", "getpid", "_exit"])]
    watched.append((pytest, ["approx", "raises", "fail", "skip"]))
    watched += _library_callables()
    if "torch" in sys.modules:
        import torch

        names = ["allclose", "equal", "isclose", "is_tensor", "all", "any", "tensor", "zeros", "ones", "linspace"]
        methods = ["__eq__", "__sub__", "__lt__", "__bool__", "abs", "max", "item", "shape", "allclose", "equal", "all"]
        watched += [(torch, names), (torch.Tensor, methods)]
        if "torch.testing" in sys.modules:
            watched.append((torch.testing, ["assert_close"]))
    if "numpy" in sys.modules:
        import numpy

        watched.append((numpy, ["allclose", "array_equal", "all", "abs"]))
        if "numpy.testing" in sys.modules:
            watched.append((numpy.testing, ["assert_allclose", "assert_array_equal"]))
    return watched


def _library_callables() -> list[tuple[object, list[str]]]:
    """Functions and classes of the course's library: a grader may use them, and its own code rebinds none."""
    kinds = (type, types.FunctionType)
    return [(m, [name for name, value in vars(m).items() if isinstance(value, kinds)]) for m in library_modules()]


@contextlib.contextmanager
def tamper_guard():
    """Raise `Tampering` when the code inside replaced one of the watched tools; put the tool back in any case."""
    watched = [(owner, name) for owner, names in _watched() for name in names if hasattr(owner, name)]
    before = [(owner, name, getattr(owner, name)) for owner, name in watched]
    try:
        yield
    finally:
        replaced = [(o, name, value) for o, name, value in before if getattr(o, name, None) is not value]
        for owner, name, value in replaced:
            with contextlib.suppress(Exception):
                setattr(owner, name, value)
    if replaced:
        names = ", ".join(f"{getattr(o, '__name__', o)}.{name}" for o, name, _ in replaced[:5])
        raise Tampering(f"your code replaced {names}; the tests need the original")


@contextlib.contextmanager
def preserved_state():
    """Leave the process as it was: random numbers, modules, folder, environment, warnings, printing, open figures."""
    import_path, modules, folder, environment = list(sys.path), dict(sys.modules), os.getcwd(), dict(os.environ)
    figures = set(_figures())
    with contextlib.ExitStack() as undo:
        undo.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        undo.callback(random.setstate, random.getstate())
        _remember_numpy(undo)
        _remember_torch(undo)
        try:
            yield
        finally:
            for number in set(_figures()) - figures:
                sys.modules["matplotlib._pylab_helpers"].Gcf.destroy(number)
            with contextlib.suppress(OSError):
                os.chdir(folder)
            sys.path[:] = import_path
            if dict(os.environ) != environment:
                os.environ.clear()
                os.environ.update(environment)
            _restore_modules(modules)


def _restore_modules(before: dict) -> None:
    """Drop the tests and the learner's module; keep libraries, which must not be imported twice."""
    for name in [n for n in sys.modules if n not in before and n.startswith(("lab_", "tests.", "test_"))]:
        del sys.modules[name]
    for name, module in before.items():
        if sys.modules.get(name) is not module:
            sys.modules[name] = module


def _figures() -> list[int]:
    helpers = sys.modules.get("matplotlib._pylab_helpers")  # not pyplot, which may be waiting to be loaded
    return list(helpers.Gcf.figs) if helpers else []


def _remember_numpy(undo: contextlib.ExitStack) -> None:
    if "numpy" in sys.modules:
        import numpy

        undo.callback(numpy.random.set_state, numpy.random.get_state())
        undo.enter_context(numpy.printoptions(threshold=24, edgeitems=3, precision=4, linewidth=100))


def _remember_torch(undo: contextlib.ExitStack) -> None:
    if "torch" not in sys.modules:
        return
    import torch

    undo.callback(torch.set_rng_state, torch.get_rng_state())
    if torch.cuda.is_initialized():
        undo.callback(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
    undo.callback(torch.set_default_dtype, torch.get_default_dtype())
    undo.callback(torch.set_grad_enabled, torch.is_grad_enabled())
    printing = vars(torch._tensor_str.PRINT_OPTS).copy()
    undo.callback(vars(torch._tensor_str.PRINT_OPTS).update, printing)
    torch.set_printoptions(threshold=24, edgeitems=2, precision=4, linewidth=100)


def reseed(seed: int) -> None:
    """The same start for every test, whatever ran before it."""
    random.seed(seed)
    if "numpy" in sys.modules:
        import numpy

        numpy.random.seed(seed % 2**32)
    if "torch" in sys.modules:
        import torch

        # torch.manual_seed also writes down a stack trace for each kind of device that is not in use: a millisecond.
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
