"""Ways for a forked process to die, by SIGKILL, at a chosen moment; used by the scripts that kill what they test."""

import os
import signal
import traceback


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def on_call(owner, name: str, count: int, action):
    """Replace a function by one that calls `action(original, *arguments)` at its `count`-th call."""
    original, calls = getattr(owner, name), []

    def counted(*arguments, **named):
        calls.append(1)
        return action(original, *arguments, **named) if len(calls) == count else original(*arguments, **named)

    setattr(owner, name, counted)


def half_a_file(save, tensors, path, **named):
    """Leave half of a file, and die."""
    save(tensors, path, **named)
    os.truncate(path, os.path.getsize(path) // 2)
    die()


def after(original, *arguments, **named):
    """Do it, and die."""
    original(*arguments, **named)
    die()


def forked(run) -> int:
    """Call `run()` in a forked process. Returns its number; its exit code will be 0, or 3 after an exception."""
    child = os.fork()
    if child == 0:
        code = 3
        try:
            run()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def end_of(child: int) -> int:
    """Wait for a forked process: minus the signal that ended it, or its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
