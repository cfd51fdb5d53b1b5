"""Time limits that a busy machine does not shorten: while a program is ready and others run, its clock stands still."""

import os
import time

PAUSE = 0.05  # seconds between two looks at other processes


def waited(task: str = "thread-self") -> float:
    """Seconds that a task was ready to run while the machine was busy with others; 0.0 where the system does not tell.

    Args:
        task: a folder of /proc, such as "123/task/123".
    """
    try:
        with open(f"/proc/{task}/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def now() -> float:
    """A clock for this thread that stands still while the thread waits for a processor."""
    return time.monotonic() - waited()


class ClockOf:
    """Such a clock for a process and what it started: it stands still while their main threads wait for a processor."""

    def __init__(self, pid: int):
        self._pid, self._waited, self._looked = pid, 0.0, -1.0

    def __call__(self) -> float:
        now = time.monotonic()
        if now - self._looked > PAUSE:
            self._waited = max(self._waited, sum(waited(f"{pid}/task/{pid}") for pid in family(self._pid)))
            self._looked = now
        return now - self._waited


def family(pid: int, most: int = 64) -> list[int]:
    """A process and those that it started, and those that they started; as many as `most`."""
    found = [pid]
    for one in found:  # which grows meanwhile
        try:
            for thread in os.listdir(f"/proc/{one}/task")[:most]:
                with open(f"/proc/{one}/task/{thread}/children") as file:
                    found += [int(child) for child in file.read().split()][: most - len(found)]
        except OSError:
            continue
    return found
