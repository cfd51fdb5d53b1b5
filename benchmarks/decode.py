"""How long a clip out of a long film takes: our reader beside torchcodec, decord, PyAV used plainly and OpenCV.

    flipbook data fetch big-buck-bunny      (once)
    python benchmarks/decode.py [--rounds 9]

The film is Big Buck Bunny: 1280x720, 14,315 frames, a keyframe every 75 on average. First every reader's frames are
held against a decode of the whole film from its beginning, in one pass. Then all readers read the same frames in turn,
round after round, each round starting with another, so that a busy machine slows all of them alike. Each opens the file
anew. The table shows medians; the numbers go to benchmarks/results/decode.json.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from common import video
from common.data.download import DataError
from common.data.sources import source_path
from common.video.colour import to_rgb
from common.video.peers import PEERS, read_torchcodec
from common.video.plan import decode_runs

RESULTS = Path(__file__).resolve().parent / "results" / "decode.json"
NUM_FRAMES, SIZE = 16, 256
COMPARED = ("torchcodec", "decord", "PyAV", "OpenCV")
OURS = "flipbook"
BOUND = 1.0  # times the best peer's speed, in these cases:
BOUND_CASES = ("16 random", "16 even")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    try:
        report = measure(source_path("big-buck-bunny"), parser.parse_args().rounds)
    except DataError as error:
        sys.exit(f"decode.py: {error}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))
    sys.exit(bool(missed(report)))


def measure(path: Path, rounds: int) -> dict:
    """Everything: proof, count and times of each case."""
    with video.VideoReader(path) as reader:
        info, keyframes, timestamps = reader.info, reader.keyframes, reader.timestamps
    cases = make_cases(len(timestamps), timestamps)
    readers = make_readers()
    shape = (SIZE, round(info.width * SIZE / info.height))
    print("decoding the whole film once, for the proof", file=sys.stderr)
    wanted = {index for indices, _ in cases.values() for index in indices}
    truth = {size: one_pass(path, wanted, size) for size in (None, shape)}
    report = {
        "machine": machine(),
        "film": f"Big Buck Bunny, {info.width}x{info.height}, {len(timestamps)} frames, {len(keyframes)} keyframes",
        "absent": {name: PEERS[name].absence for name in COMPARED if PEERS[name].absence},
        "bound": f"{BOUND} x the best peer's speed in: {', '.join(BOUND_CASES)}",
        "cases": {},
    }
    for case, (indices, is_small) in cases.items():
        size = shape if is_small else None
        print(f"{case}: proof, then {rounds} rounds", file=sys.stderr)
        row = {"indices": indices} | decoded(path, indices, keyframes, size)
        row["proof"] = {name: proof(read(path, indices, size), truth[size], indices) for name, read in readers.items()}
        row["seconds"] = race(readers, path, indices, size, rounds)
        report["cases"][case] = row | verdict(row)
    return report


def make_cases(total: int, timestamps: np.ndarray) -> dict[str, tuple[list[int], bool]]:
    """Name -> frame numbers, and whether they are wanted small."""
    random = np.random.default_rng(0).choice(total, NUM_FRAMES, replace=False).tolist()
    even = video.even_indices(total, NUM_FRAMES)
    steady = video.fps_indices(timestamps, 8, NUM_FRAMES, start=300.0)
    return {
        "16 random": (random, False),
        "16 even": (even, False),
        "2 s at 8 fps": (steady, False),
        f"16 random, {SIZE}": (random, True),
        f"16 even, {SIZE}": (even, True),
        f"2 s at 8 fps, {SIZE}": (steady, True),
    }


def make_readers() -> dict:
    """Name -> read(path, indices, size), of all that are on this machine."""
    readers = {OURS: read_ours}
    readers |= {name: PEERS[name].read for name in COMPARED if not PEERS[name].absence}
    if "torchcodec" in readers:
        readers["torchcodec, approximate"] = read_approximately
    return readers


def read_ours(path, indices, size=None) -> np.ndarray:
    return video.read_frames(path, indices, size=None if size is None else min(size))


def read_approximately(path, indices, size=None) -> np.ndarray:
    """torchcodec's other setting, which reads no table of frames first and trusts the average rate."""
    return read_torchcodec(path, indices, size, seek_mode="approximate")


def one_pass(path, wanted: set[int], size) -> dict[int, np.ndarray]:
    """These frames, met on the way from the first frame of the film to the last: no seek, nothing left out."""
    reformatter, found = VideoReformatter(), {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for number, frame in enumerate(container.decode(stream)):
            if number in wanted:
                height, width = size or (frame.height, frame.width)
                found[number] = to_rgb(frame, width, height, reformatter).copy()
    return found


def decoded(path, indices: list[int], keyframes: list[int], size) -> dict:
    """Frames decoded for each frame asked for: ours as counted, and the least that keyframes allow."""
    least = sum(run[-1] - keyframe + 1 for keyframe, run in decode_runs(indices, keyframes))
    with video.VideoReader(path) as reader:
        reader.read(indices, size=None if size is None else min(size))
        counted = reader.num_decoded
    return {
        "decoded per asked": round(counted / len(indices), 2),
        "least by keyframes": round(least / len(indices), 2),
    }


def proof(frames: np.ndarray, truth: dict[int, np.ndarray], indices: list[int]) -> dict:
    """How far a reader's frames are from those of the one pass, in levels of 255; 0 says identical."""
    difference = np.abs(frames.astype(np.int16) - np.stack([truth[index] for index in indices]))
    return {"largest difference": int(difference.max()), "mean": round(float(difference.mean()), 3)}


def race(readers: dict, path, indices: list[int], size, rounds: int) -> dict[str, list[float]]:
    """Seconds of each reader in each round. The proof has warmed all of them up."""
    names, seconds = list(readers), {name: [] for name in readers}
    for first in range(rounds):
        for step in range(len(names)):
            name = names[(first + step) % len(names)]
            begin = time.perf_counter()
            readers[name](path, indices, size)
            seconds[name].append(round(time.perf_counter() - begin, 4))
    return seconds


def verdict(row: dict) -> dict:
    """Medians, and our speed as a multiple of the best peer's."""
    median = {name: round(statistics.median(taken), 4) for name, taken in row["seconds"].items()}
    peers = {name: seconds for name, seconds in median.items() if name != OURS}
    best = min(peers, key=peers.get, default=None)
    return {
        "median": median,
        "best peer": best,
        "times the best peer's speed": round(peers[best] / median[OURS], 2) if best else None,
        "identical": row["proof"][OURS]["largest difference"] == 0,
    }


def missed(report: dict) -> list[str]:
    """What is not as it should be, in words."""
    wrong = []
    for case, row in report["cases"].items():
        if not row["identical"]:
            wrong.append(f"{case}: our frames are not those of the full decode")
        counted, least = row["decoded per asked"], row["least by keyframes"]
        if counted > least:
            wrong.append(f"{case}: {counted} decoded per asked, {least} are enough")
        if case in BOUND_CASES and (row["times the best peer's speed"] or BOUND) < BOUND:
            wrong.append(f"{case}: slower than {row['best peer']}")
    return wrong


def table(report: dict) -> str:
    names = list(next(iter(report["cases"].values()))["median"])
    heads = "".join(f"{name.replace('approximate', 'appr.'):>19}" for name in names)
    lines = [f"{'seconds a clip':20}{heads}{'x best peer':>13}{'decoded':>11}"]
    for case, row in report["cases"].items():
        medians = "".join(f"{row['median'][name]:>19.3f}" for name in names)
        speed = row["times the best peer's speed"]
        counted = f"{row['decoded per asked']:.1f}/{row['least by keyframes']:.1f}"
        lines.append(f"{case:20}{medians}{speed if speed else '-':>13}{counted:>11}")
    absent = [f"{name} is absent: {reason}" for name, reason in report["absent"].items()]
    return "\n".join([*lines, *absent, *(f"MISSED {line}" for line in missed(report))])


def machine() -> dict:
    """What the times depend on, and nothing that names the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = {name: PEERS[name].version for name in COMPARED if PEERS[name].version}
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    return {"cores": cores, "system": platform.system(), "python": platform.python_version(), "load at start": load,
            "libraries": versions}  # fmt: skip


if __name__ == "__main__":
    main()
