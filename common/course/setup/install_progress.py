"""What an installation shows while it runs: one bar, how much is here, and a time left that does not jump.

Only the standard library: the installer runs in an environment that is still empty.
"""

import re
import shutil
import sys
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

# Bytes per second, as packed: what is assumed until something is measured, and how many bytes that assumption weighs.
DOWNLOAD_RATE, DOWNLOAD_WEIGHT = 10e6, 30e6
UNPACKING_RATE, UNPACKING_WEIGHT = 18e6, 150e6
SETTLING_SECONDS = 3.0  # before that no time is told
DOUBLING_SECONDS = 10.0  # the time shown at most doubles, or halves, in this time


class Bar:
    """One line that is drawn over and over in a terminal; a line now and then where the output is kept."""

    def __init__(self, stream=sys.stderr, seconds_between_lines: float = 10.0):
        self.stream, self.live = stream, stream.isatty()
        self.pause = 0.1 if self.live else seconds_between_lines
        self.last = time.monotonic() - self.pause

    def note(self, text: str, force: bool = False) -> None:
        now = time.monotonic()
        if now - self.last < self.pause and not force:
            return
        self.last = now
        width = shutil.get_terminal_size().columns - 1
        self.stream.write(f"\r{text[:width]:<{width}}" if self.live else f"{text}\n")
        self.stream.flush()

    def show(self, fraction: float, text: str) -> None:
        filled = round(24 * min(fraction, 1))
        self.note(f"[{'#' * filled}{'.' * (24 - filled)}] {fraction:4.0%}  {text}")

    def clear(self) -> None:
        if self.live:
            self.note("", force=True)
            self.stream.write("\r")


class TimeLeft:
    """The time left as it is shown: it follows the estimate, but takes ten seconds to double or to halve."""

    def __init__(self):
        self.began, self.shown, self.at = time.monotonic(), None, 0.0

    def follow(self, estimate: float) -> float | None:
        """The seconds to show now; None while it is too early to tell."""
        now = time.monotonic()
        if now - self.began < SETTLING_SECONDS:
            return None
        if self.shown is None:
            self.shown = max(estimate, 1.0)
        else:
            passed = now - self.at
            factor = 2 ** (passed / DOUBLING_SECONDS)
            expected = max(self.shown - passed, 1.0)
            self.shown = min(max(estimate, expected / factor), expected * factor)
        self.at = now
        return self.shown


def rate(done: float, seconds: float, typical: float, weight: float) -> float:
    """Bytes per second: what was measured, mixed with a typical rate that counts like `weight` bytes."""
    return (done + weight) / (seconds + weight / typical)


class Progress:
    """Follows one `pip install` through its output: first the downloads, then the unpacking.

    Args:
        sizes: file name -> bytes, of everything that this call of pip fetches.
        bar: where the progress is drawn.
        packages: the environment's folder of packages.
        time_left: shared by all calls of pip, so that the time shown goes on from one to the next.
        later: bytes that calls of pip after this one will fetch.
    """

    def __init__(self, sizes: dict[str, int], bar: Bar, packages: Path, time_left: TimeLeft, later: int = 0):
        self.sizes, self.bar, self.packages, self.time_left, self.later = sizes, bar, packages, time_left, later
        self.on_unpacking: Callable[[], object] = lambda: None
        self.finished: set[str] = set()  # files that are here
        self.current, self.current_bytes = "", 0
        self.received, self.receiving_since = 0, None  # bytes that came over the network, none out of a cache
        self.unpacking, self.unpacking_since = False, 0.0
        self.packages_before = self._whole_packages()

    def line(self, line: str) -> None:
        """Take one line of pip's output."""
        if match := re.match(r"Progress (\d+) of (\d+)", line):
            self._receive(int(match[1]))
        elif match := re.match(r"\s*(?:Downloading|Using cached|Processing) (\S+)", line):
            self._begin_file(urllib.parse.unquote(re.split(r"[/\\]", match[1])[-1]))
        elif line.startswith("Installing collected packages"):
            self._begin_file("")
            self.finished.update(self.sizes)
            self.unpacking, self.unpacking_since = True, time.monotonic()
            self.on_unpacking()

    def _receive(self, so_far: int) -> None:
        if self.current in self.sizes:
            if self.receiving_since is None:
                self.receiving_since = time.monotonic()
            self.received += max(so_far - self.current_bytes, 0)
        self.current_bytes = so_far

    def _begin_file(self, name: str) -> None:
        if self.current in self.sizes:
            self.finished.add(self.current)
        self.current, self.current_bytes = name, 0

    def _whole_packages(self) -> set[str]:
        """`name-version` of each package that is unpacked to its last file."""
        return {record.parent.stem.lower() for record in self.packages.glob("*.dist-info/RECORD")}

    def unpacked(self) -> list[str]:
        """The planned files that have become packages."""
        new = self._whole_packages() - self.packages_before
        return [name for name in self.sizes if "-".join(name.split("-")[:2]).lower() in new]

    def downloaded(self) -> int:
        """Bytes that are here: whole files, and the part of the one that is coming."""
        here = sum(self.sizes[name] for name in self.finished)
        coming = self.sizes.get(self.current, 0) if self.current not in self.finished else 0
        return here + min(self.current_bytes, coming)

    def seconds_left(self, unpacked: float) -> float:
        """The estimate: what is still to come and to unpack, each at its rate so far."""
        now, total = time.monotonic(), sum(self.sizes.values())
        receiving = 0.0 if self.receiving_since is None else (self.unpacking_since or now) - self.receiving_since
        download = rate(self.received, receiving, DOWNLOAD_RATE, DOWNLOAD_WEIGHT)
        elapsed = now - self.unpacking_since if self.unpacking else 0.0
        unpack = rate(unpacked, elapsed, UNPACKING_RATE, UNPACKING_WEIGHT)
        to_fetch = total - self.downloaded() + self.later
        return to_fetch / download + (total - unpacked + self.later) / unpack

    def tick(self) -> None:
        """Draw the present state: the first half of the bar is the download, the second the unpacking."""
        total = max(sum(self.sizes.values()), 1)
        if self.unpacking:
            here = self.unpacked()
            unpacked = sum(self.sizes[name] for name in here)
            done, text = unpacked / total, f"unpacked {len(here)} of {len(self.sizes)} packages"
        else:
            unpacked, done = 0, self.downloaded() / total
            text = f"{self.downloaded() / 1e6:,.0f} of {total / 1e6:,.0f} MB"
        left = self.time_left.follow(self.seconds_left(unpacked))
        self.bar.show(done / 2 + self.unpacking / 2, f"{text}{describe(left)}")


def describe(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", about {seconds / 60:.0f} min left" if seconds > 90 else f", about {max(1, round(seconds))} s left"
