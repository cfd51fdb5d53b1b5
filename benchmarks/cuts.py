"""Lab 01.4's cut detector beside PySceneDetect's default, on films with known cuts: which cuts, and how fast.

    flipbook data fetch big-buck-bunny
    flipbook data fetch bikes
    pip install --no-deps scenedetect-headless==0.7.2 opencv-python-headless==5.0.0.93
    python benchmarks/cuts.py [--rounds 3]

Both look at every frame of the whole film, decoding included, in turn, round after round, so that a busy machine slows
both alike. The table shows medians; the numbers go to benchmarks/results/cuts.json. What stands at each frame where the
two disagree with the truth was looked at and is written down in benchmarks/cuts.md.
"""

import argparse
import json
import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

from common.data import find_clip, source_path
from common.data.sources import find_source
from common.evaluation import cut_scores
from common.video import VideoReader
from common.video.cuts import detect_cuts

RESULTS = Path(__file__).resolve().parent / "results" / "cuts.json"
OURS, THEIRS, ADAPTIVE = "flipbook", "PySceneDetect ContentDetector", "PySceneDetect AdaptiveDetector"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    report = measure(parser.parse_args().rounds)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    print(table(report))


def measure(rounds: int) -> dict:
    """Cuts and scores on three films, and seconds on the whole film, `rounds` times each."""
    films = {
        "film_cuts": (find_clip("film_cuts").path, find_clip("film_cuts").cuts),
        "bikes": (source_path("bikes"), find_source("bikes").cuts),
        "big-buck-bunny": (source_path("big-buck-bunny"), find_source("big-buck-bunny").cuts),
    }
    detectors = {OURS: detect_cuts, THEIRS: scenedetect("ContentDetector"), ADAPTIVE: scenedetect("AdaptiveDetector")}
    report = {
        "machine": machine(),
        "films": {},
        "seconds": {OURS: [], THEIRS: []},
        "cpu_seconds": {OURS: [], THEIRS: []},
    }
    for name, (path, true) in films.items():
        report["films"][name] = {who: score(find(path), true) for who, find in detectors.items()}
    path = films["big-buck-bunny"][0]
    with VideoReader(path) as reader:
        report["num_frames"] = len(reader)
    for _ in range(rounds):
        for who in (OURS, THEIRS):
            wall, cpu = time.perf_counter(), time.process_time()
            detectors[who](path)
            report["seconds"][who].append(round(time.perf_counter() - wall, 3))
            report["cpu_seconds"][who].append(round(time.process_time() - cpu, 3))
    return report


def scenedetect(detector: str):
    """PySceneDetect as its manual shows it, with nothing but defaults: a function from a path to its cuts."""
    import scenedetect

    def find(path):
        scenes = scenedetect.detect(str(path), getattr(scenedetect, detector)())
        return [begin.frame_num for begin, _ in scenes[1:]]

    return find


def score(found: list[int], true: tuple[int, ...], tolerance: int = 1) -> dict:
    """Scores, and the frames to look at: found and not true, true and not found."""
    precision, recall, f1 = cut_scores(found, true, tolerance)
    return {
        "found": len(found),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(f1, 4),
        "false": [cut for cut in found if all(abs(cut - other) > tolerance for other in true)],
        "missed": [cut for cut in true if all(abs(cut - other) > tolerance for other in found)],
    }


def machine() -> dict:
    packages = ("av", "numpy", "scenedetect-headless", "opencv-python-headless")
    return {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": [round(x, 1) for x in os.getloadavg()],
        **{name: version(name) for name in packages},
    }


def table(report: dict) -> str:
    lines = [
        "| film | detector | found | false | missed | precision | recall | F1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for film, rows in report["films"].items():
        for who, row in rows.items():
            numbers = f"{row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f}"
            lines.append(
                f"| {film} | {who} | {row['found']} | {len(row['false'])} | {len(row['missed'])} | {numbers} |"
            )
    lines += ["", "| whole film | seconds (median) | frames a second | CPU seconds (median) |", "|---|---|---|---|"]
    for who, seconds in report["seconds"].items():
        wall, cpu = statistics.median(seconds), statistics.median(report["cpu_seconds"][who])
        lines.append(f"| {who} | {wall:.1f} | {report['num_frames'] / wall:.0f} | {cpu:.1f} |")
    ratios = [theirs / ours for ours, theirs in zip(report["seconds"][OURS], report["seconds"][THEIRS])]
    return "\n".join([*lines, "", f"flipbook is {statistics.median(ratios):.2f} times as fast (median of the rounds)."])


if __name__ == "__main__":
    main()
