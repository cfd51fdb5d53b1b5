"""What it costs to keep clips on disk in one form or another, and how well they come back: lab 01.5."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common import video


class Form(NamedTuple):
    """One way to keep a clip on disk."""

    name: str  # "raw .npy"
    suffix: str  # ".npy"
    store: Callable  # store(path, frames): writes uint8 frames (T, H, W, 3)
    load: Callable  # load(path, indices=None): reads those frames, or all of them, as uint8 (N, H, W, 3)


def load_raw(path, indices=None):
    frames = np.load(path, mmap_mode="r")  # nothing is read yet
    return np.array(frames if indices is None else frames[indices])  # now the wanted bytes are copied


def codec_form(name, suffix, codec, quality=None):
    return Form(name, suffix, lambda path, frames: video.write(path, frames, 24, codec, quality), video.read_frames)


@dataclass(frozen=True)
class Stored:
    """What it cost to store one clip in one form."""

    form: str  # name of the form
    raw_bytes: int  # the clip's pixels in memory
    num_bytes: int  # the file on disk
    write_seconds: float
    psnr: float  # dB, of what comes back


@dataclass(frozen=True)
class Row:
    """What it cost to store many clips in one form: a line of the study's table."""

    num_clips: int
    megabytes: float  # all files together; 1 MB is 10**6 bytes
    compression: float  # raw bytes of all clips per byte on disk
    write_ms: float  # to write one clip: the median
    psnr: float  # dB, mean over clips
    worst_psnr: float  # dB, of the worst clip


def clip_psnr(restored: np.ndarray, original: np.ndarray) -> float:
    """Peak signal-to-noise ratio of a whole clip against its original.

    Args:
        restored: uint8 (T, H, W, 3), what came back from the disk.
        original: uint8 (T, H, W, 3), what went in. Both may have any memory layout; neither is changed.

    Returns:
        One float, in dB, at a peak of 255; `inf` if the two are identical (without a warning or an error).

    Raises:
        ValueError: the shapes differ (the message names both).
    """
    if restored.shape != original.shape:
        raise ValueError(f"the clips differ in shape: {restored.shape} and {original.shape}")
    mean_squared_error = np.mean((restored.astype(np.float64) - original) ** 2)
    if mean_squared_error == 0:
        return float("inf")
    return float(10 * np.log10(255**2 / mean_squared_error))


def store_clip(form: Form, frames: np.ndarray, folder: Path, name: str, clock: Callable = time.perf_counter) -> Stored:
    """Store a clip once in one form, read it back, and say what that cost.

    The file is `folder / (name + form.suffix)`; it stays there.

    Args:
        form: how to store: `form.store(path, frames)` writes, `form.load(path)` reads all frames again.
        frames: uint8 (T, H, W, 3).
        folder: exists already.
        name: of the file, without the suffix.
        clock: a function without arguments that returns seconds. The only clock to use: read it right before and right
            after storing.

    Returns:
        `Stored`, with the form's name, the clip's bytes in memory, the file's bytes on disk, the seconds that
        `form.store` took, and the PSNR of all frames that `form.load` gives back.
    """
    target = folder / f"{name}{form.suffix}"
    begin = clock()
    form.store(target, frames)
    write_seconds = clock() - begin
    quality = clip_psnr(form.load(target), frames)
    return Stored(form.name, frames.nbytes, target.stat().st_size, write_seconds, quality)


def random_read_ms(
    reads: dict[str, Callable], requests: list[tuple[int, int]], clock: Callable = time.perf_counter
) -> dict[str, float]:
    """How long each reader takes for a random read, measured fairly.

    Each reader first answers `requests[0]` once, untimed. Then request i is answered once by every reader, beginning
    with reader i modulo n and going round, before request i + 1 comes. Each read is timed by itself.

    Args:
        reads: name -> `read(clip, frame)`; n of them, in order.
        requests: (clip, frame) of each read, the same for all readers; repeats count like any other.
        clock: a function without arguments that returns seconds. The only clock to use.

    Returns:
        name -> median time of a read in milliseconds, in the order of `reads`.

    Raises:
        ValueError: there are no readers, or no requests.
    """
    if not reads or not requests:
        raise ValueError(f"a race needs readers and requests; got {len(reads)} readers and {len(requests)} requests")
    names = list(reads)
    for name in names:
        reads[name](*requests[0])  # warm-up, off the clock
    seconds = {name: [] for name in names}
    for i, (clip, frame) in enumerate(requests):
        first = i % len(names)
        for name in names[first:] + names[:first]:
            begin = clock()
            reads[name](clip, frame)
            seconds[name].append(clock() - begin)
    return {name: 1000 * float(np.median(seconds[name])) for name in names}


def summarise(measurements: list[Stored]) -> dict[str, Row]:
    """One line of the table for each form.

    Args:
        measurements: of many clips in several forms, in any order; clips may differ in size.

    Returns:
        form's name -> `Row`, in the order in which the forms first appear; empty without measurements.
    """
    groups = {}
    for stored in measurements:
        groups.setdefault(stored.form, []).append(stored)
    table = {}
    for form, group in groups.items():
        num_bytes = sum(stored.num_bytes for stored in group)
        table[form] = Row(
            num_clips=len(group),
            megabytes=num_bytes / 1e6,
            compression=sum(stored.raw_bytes for stored in group) / num_bytes,
            write_ms=1000 * float(np.median([stored.write_seconds for stored in group])),
            psnr=float(np.mean([stored.psnr for stored in group])),
            worst_psnr=min(stored.psnr for stored in group),
        )
    return table


def bytes_at_quality(num_bytes: list[float], psnrs: list[float], target: float) -> float:
    """The bytes a codec needs for a given quality, read off its measured curve.

    Straight lines between neighbouring points (sorted by quality), with the logarithm of the bytes on the other axis.
    A curve of a single point can be read at that point.

    Args:
        num_bytes: bytes at each setting, above 0, in any order.
        psnrs: dB at each setting, in the same order; no two are equal.
        target: the quality to read at, dB. The ends of the measured range belong to it.

    Returns:
        Bytes, a float.

    Raises:
        ValueError: the target is outside the measured range (the message names the target), or the two lists differ
            in length or are empty.
    """
    if len(num_bytes) != len(psnrs) or len(psnrs) == 0:
        raise ValueError(f"bytes and PSNRs come in pairs; got {len(num_bytes)} and {len(psnrs)}")
    if not min(psnrs) <= target <= max(psnrs):
        raise ValueError(f"{target} dB was not measured: the curve runs from {min(psnrs)} to {max(psnrs)} dB")
    order = np.argsort(psnrs)
    log_bytes = np.log(np.asarray(num_bytes, dtype=np.float64)[order])
    return float(np.exp(np.interp(target, np.asarray(psnrs, dtype=np.float64)[order], log_bytes)))
