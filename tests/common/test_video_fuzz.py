"""Damaged bytes: thousands of ways to break a file, none of which hangs, crashes or leaks.

Run as a script, this file damages the clips named on its command line for some seconds and prints what it saw. The test
does so in a process of its own, because a crash in a decoder takes its process along.
"""

import ctypes
import gc
import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from av.codec.context import ThreadType

from common.video.container import open_video

SECONDS = 6
LONGEST = 5.0  # seconds that one damaged clip of a second may take on a busy machine

KINDS = {
    "a.mp4": {"x264_params": "keyint=8:bframes=2:scenecut=0"},
    "front.mp4": {"x264_params": "keyint=8:bframes=2", "container": {"movflags": "faststart"}},
    "a.mkv": {"x264_params": "keyint=8:bframes=2:open-gop=1"},
    "a.ts": {"x264_params": "keyint=8:bframes=2"},
    "a.avi": {"encoder": "mpeg4", "g": "8", "bf": "2"},
    "h264.avi": {"x264_params": "keyint=8:bframes=2"},
    "a.webm": {"encoder": "libvpx-vp9", "g": "8", "cpu_used": "8"},
    "av1.mp4": {"encoder": "libsvtav1", "g": "8", "preset": "10"},
    # One encoder thread: with several x265 failed once, on a busy machine, to write two frames.
    "hevc.mp4": {
        "encoder": "libx265",
        "x265_params": "keyint=8:bframes=2:log-level=none:pools=none:frame-threads=1",
    },
    "ffv1.mkv": {"encoder": "ffv1", "pixel_format": "bgr0"},
}


def damage(content: bytes, rng: random.Random) -> bytes:
    """One to four injuries: flipped bits, overwritten, removed, repeated or inserted stretches, a cut."""
    content = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(content)) if rng.random() < 0.6 else rng.randrange(min(len(content), 900))
        if rng.random() < 0.3:
            at = max(0, len(content) - 1 - rng.randrange(min(len(content), 1500)))  # MP4 keeps its table at the end
        length = min(rng.choice([1, 1, 2, 4, 4, 8, 30, 300]), len(content) - at)
        kind = rng.randrange(7)
        if kind == 0:
            content[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            content[at : at + length] = rng.randbytes(length)
        elif kind == 2:
            content[at : at + length] = bytes([rng.choice([0, 0x7F, 0x80, 0xFF])]) * length
        elif kind == 3:
            del content[at : at + length]
        elif kind == 4:
            content[at:at] = content[at : at + length]
        elif kind == 5:
            content[at:at] = rng.randbytes(length)
        elif rng.random() < 0.3:
            del content[at + 1 :]
    return bytes(content)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


def memory() -> int:
    """Resident megabytes now, without what was freed but kept for later; 0 where the system does not say."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20
    except (OSError, AttributeError):
        return 0


def exercise(path) -> str:
    """Opens, samples and streams a file as a user would. Returns the name of the error, or `read`."""
    from common.video import VideoError, VideoReader, even_indices

    try:
        with VideoReader(path) as reader:
            reader.read(even_indices(len(reader), 4), size=16)
            for piece in reader.stream(stop=min(len(reader), 30), chunk=5, size=16):
                assert piece.shape[-1] == 3
        return "read"
    except VideoError as error:
        assert str(path) in str(error) or "matrix" in str(error), f"the message does not name the file: {error}"
        return type(error).__name__


def main(folder: str, seconds: float, seed: int) -> None:
    rng, outcomes, slowest = random.Random(seed), {}, 0.0
    sources = {path: path.read_bytes() for path in sorted(Path(folder).glob("*.*")) if not path.name.startswith("x.")}
    for path in sources:
        assert exercise(path) == "read", f"the undamaged {path.name} could not be read"
    files, start, warm = open_files(), time.monotonic(), None
    while time.monotonic() - start < seconds:
        source = rng.choice(list(sources))
        target = source.with_name("x." + source.name)
        target.write_bytes(damage(sources[source], rng))
        began = time.monotonic()
        outcome = exercise(target)
        slowest = max(slowest, time.monotonic() - began)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if warm is None and time.monotonic() - start > seconds / 2:
            gc.collect()
            warm = memory()
    gc.collect()
    print(
        json.dumps({"outcomes": outcomes, "slowest": slowest, "files": open_files() - files, "growth": memory() - warm})
    )


@pytest.mark.parametrize(
    "name, side_by_side", [("a.mp4", True), ("hevc.mp4", True), ("a.webm", False), ("ffv1.mkv", False)]
)
def test_frames_are_decoded_side_by_side_only_where_damage_was_survived(tmp_path, encode, name, side_by_side):
    """VP9 and FFV1 with frame threads ended the process on one damaged file in ten thousand."""
    container, stream = open_video(encode(tmp_path / name, num_frames=2, **KINDS[name]))
    with container:
        assert bool(stream.thread_type & ThreadType.FRAME) == side_by_side


@pytest.mark.parametrize("seed", [0])
def test_damaged_bytes_never_hang_crash_or_leak(tmp_path, encode, monkeypatch, seed):
    monkeypatch.setenv("SVT_LOG", "1")
    for name, options in KINDS.items():
        encode(tmp_path / name, num_frames=24, **options)
    command = [sys.executable, __file__, tmp_path, str(SECONDS), str(seed)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "MALLOC_ARENA_MAX": "2"}
    run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS * 6, env=environment, check=False)
    assert run.returncode == 0, f"exit {run.returncode}\n{run.stderr[-3000:]}"
    seen = json.loads(run.stdout.splitlines()[-1])
    assert sum(seen["outcomes"].values()) > 50 and len(seen["outcomes"]) >= 4, seen
    assert seen["slowest"] < LONGEST, seen
    assert seen["files"] == 0, seen
    assert seen["growth"] < 40, seen


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
