"""The table that lab 09.5 shows: the student, its teacher at several numbers of steps, and the two controls.

    python tests/labs/09_world_models/calibration/05_latency_hunt.py --main F --unshared F --real F
    python tests/labs/09_world_models/calibration/05_latency_hunt.py --speed        milliseconds alone, again

It trains nothing. The folders are weights of the stages `main`, `unshared` and `real` of the recipe, which have trained
equally long. Without folders their old numbers stay. With `--speed` only the milliseconds are measured: give it on an
idle machine.
"""

import argparse
import json
from pathlib import Path

import torch

from common.models.world_unet import WorldUNet
from common.pipelines.world import WorldModel
from common.progress import progress_bar
from common.zoo.arcade_rooms_fast.study import step_latency, study

PLACE = Path(__file__).with_suffix(".json")
TEACHER_STEPS = (1, 2, 3, 5)
STUDENT = "arcade-rooms-fast, 1 step"
CONTROLS = {"main": "shared noise, own pasts", "unshared": "other noise", "real": "real pasts"}


def load(name):
    return WorldUNet.from_pretrained(name).eval().requires_grad_(False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--doors", type=int, default=192)
    parser.add_argument("--windows", type=int, default=320)
    parser.add_argument("--games", type=int, default=8)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--speed", action="store_true")
    for name in CONTROLS:
        parser.add_argument(f"--{name}", help=f"a folder of weights of the stage {name}")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    kept = json.loads(PLACE.read_text(encoding="utf-8")) if PLACE.exists() else {"arms": {}}
    found = kept
    if not arguments.speed:
        teacher, arms = load("arcade-rooms"), {STUDENT: (load("arcade-rooms-fast"), 1)}
        arms |= {f"arcade-rooms, {n} step{'s' * (n > 1)}": (teacher, n) for n in TEACHER_STEPS}
        folders = {name: getattr(arguments, name) for name in CONTROLS}
        arms |= {CONTROLS[name]: (load(folder), 1) for name, folder in folders.items() if folder}
        with progress_bar(total=1000, desc="arms", unit="‰") as bar:
            found = study(
                arms, arguments.doors, arguments.windows, arguments.games, arguments.frames,
                progress=lambda part: bar.update(round(1000 * part) - bar.n),
            )  # fmt: skip
        found["arms"] |= {name: kept["arms"][name] for name in kept["arms"] if name not in found["arms"]}
    times = speeds()
    for name, arm in found["arms"].items():  # a control is the same network as the student
        one = times.get(name, times[STUDENT])
        arm |= {"median": round(one.median, 2), "p95": round(one.p95, 2), "cpu": round(one.cpu, 2)}
    PLACE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def speeds():
    """Milliseconds per frame of a session, in turns. The student is folded, as it is played; so are its controls."""
    teacher = WorldModel.from_pretrained("arcade-rooms")
    worlds = {STUDENT: (WorldModel.from_pretrained("arcade-rooms-fast", folded=True), 1)}
    worlds |= {f"arcade-rooms, {n} step{'s' * (n > 1)}": (teacher, n) for n in TEACHER_STEPS}
    return step_latency(worlds, rounds=40)


if __name__ == "__main__":
    main()
