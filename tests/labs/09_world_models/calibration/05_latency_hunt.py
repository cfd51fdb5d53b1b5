"""The table that lab 09.5 shows: the student, its teacher at several numbers of steps, and the two controls.

    python tests/labs/09_world_models/calibration/05_latency_hunt.py student teacher main=F unshared=F real=F
    python tests/labs/09_world_models/calibration/05_latency_hunt.py        the milliseconds alone, again

It trains nothing. The folders F are weights of the stages `main`, `unshared` and `real` of the recipe, which have
trained equally long. Arms that are not named keep their numbers. The milliseconds are measured each time: give the
second command on an idle machine.
"""

import argparse
import json
from pathlib import Path

import torch

from common.pipelines.world import WorldModel
from common.progress import progress_bar
from common.zoo.arcade_rooms_fast.study import step_latency, study

PLACE = Path(__file__).with_suffix(".json")
SIZES = {"num_doors": 96, "num_windows": 160, "num_games": 8, "num_frames": 150}
TEACHER = {f"arcade-rooms, {n} step{'s' * (n > 1)}": n for n in (1, 3, 8)}
STUDENT = "arcade-rooms-fast, 1 step"
CONTROLS = {"main": "shared noise, own pasts", "unshared": "other noise", "real": "real pasts"}
ORDER = (*TEACHER, STUDENT, *CONTROLS.values())


def load(name):
    """The network as it is played: in bfloat16, where the processor has it."""
    return WorldModel.from_pretrained(name).model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arms", nargs="*", help="student, teacher, and STAGE=FOLDER")
    torch.set_num_threads(1)
    found, arms = json.loads(PLACE.read_text(encoding="utf-8")) if PLACE.exists() else {"arms": {}}, {}
    for word in parser.parse_args().arms:
        stage, _, folder = word.partition("=")
        if stage == "teacher":
            net = load("arcade-rooms")
            arms |= {name: (net, num_steps) for name, num_steps in TEACHER.items()}
        else:
            arms[STUDENT if stage == "student" else CONTROLS[stage]] = (load(folder or "arcade-rooms-fast"), 1)
    if arms:
        with progress_bar(total=1000, desc="arms", unit="‰") as bar:
            made = study(arms, **SIZES, progress=lambda part: bar.update(round(1000 * part) - bar.n))
        found = made | {"arms": found["arms"] | made["arms"]}
    times = speeds()
    for name, arm in found["arms"].items():  # a control is the same network as the student
        one = times.get(name, times[STUDENT])
        arm |= {"median": round(one.median, 2), "p95": round(one.p95, 2), "cpu": round(one.cpu, 2)}
    found["arms"] = {name: found["arms"][name] for name in ORDER if name in found["arms"]}
    PLACE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def speeds():
    """Milliseconds per frame of a session, in turns. The student is folded, as it is played; so are its controls."""
    teacher = WorldModel.from_pretrained("arcade-rooms")
    worlds = {STUDENT: (WorldModel.from_pretrained("arcade-rooms-fast", folded=True), 1)}
    worlds |= {name: (teacher, num_steps) for name, num_steps in TEACHER.items()}
    return step_latency(worlds, rounds=40)


if __name__ == "__main__":
    main()
